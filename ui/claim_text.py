"""A claim card as lines for a terminal."""

from agent.cards import ClaimCard, PredictionCard

RUNGS = {
    0: "untested",
    1: "observational",
    2: "correlational",
    3: "causal contribution",
    4: "causal localisation",
    5: "faithful circuit",
    6: "generalises",
}


def number(value: float | None) -> str:
    """A number as the product prints numbers: three decimals, a real minus sign, a dash for none."""
    if value is None:
        return "–"
    text = f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def interval(prediction: PredictionCard) -> str:
    """`[low, high]`, or a dash."""
    return f"[{number(prediction.interval[0])}, {number(prediction.interval[1])}]" if prediction.interval else "–"


def observed(prediction: PredictionCard) -> str:
    """The estimate with its interval, where it has one; a dash before there is any."""
    if prediction.estimate is None:
        return "–"
    return number(prediction.estimate) + (f" {interval(prediction)}" if prediction.interval else "")


def claim_lines(card: ClaimCard) -> list[str]:
    """Verdict first, then why, then the predictions, then where it comes from."""
    lines = [
        f"{(card.verdict or 'no verdict yet').upper()}  {card.displayed}",
        f"claim     {card.claim_id}: {card.text}",
        f"reason    {card.reason}",
        f"rung      {card.rung} ({RUNGS.get(card.rung, 'unknown')})",
        f"scope     {card.scope}",
    ]
    if card.verdict:
        lines.append(f"record    {card.track_record}")
    lines += [f"remark    {remark}" for remark in card.remarks]
    lines += [f"would change this: {missing}" for missing in card.missing]
    lines.append("predictions")
    for p in card.predictions:
        outcome = (p.outcome or "untested").upper()
        lines.append(f"  {p.key:<3} {outcome:<8} {p.experiment}: expected {p.expects}")
        lines.append(f"      {p.quantity} {observed(p)} n={p.n or 0}" + _rank(p))
        lines += [
            f"      control {c.name}: {'held' if c.passed else 'FAILED'}" for c in p.controls if c.passed is not None
        ]
    lines.append(f"registered {card.registered_at}, prereg {card.prereg_hash[:12]}, confirm seed {card.confirm_seed}")
    return lines


def _rank(prediction: PredictionCard) -> str:
    if prediction.p_rank is None:
        return ""
    return f", rank p={number(prediction.p_rank)} among {len(prediction.control_values)} matched controls"
