"""One claim on the right of the Claims page: the sentence the evidence carries, why, and everything it rests on.

Everything shown comes from the claim's card and its stored results; nothing here judges or rounds a verdict.
"""

from collections.abc import Callable

import numpy as np
import streamlit as st

from agent.cards import ClaimCard, PredictionCard
from tools.component import Component, parse_component
from tools.errors import ExperimentError
from tools.result import Result
from ui import figures
from ui.claim_text import RUNGS, number, observed
from ui.palette import VERDICT_COLOR, VERDICT_SIGN
from ui.safe_markdown import plain
from ui.view_literature import draw_literature
from ui.view_take_away import draw_take_away

OUTCOMES = {"pass": "pass", "fail": "fail", "open": "open", None: "untested"}
MAPS = {
    "harm": "What removing each head costs, on explore prompts.",
    "effect": "The effect of each head, on explore prompts.",
    "restore": "What patching each head in restores, on explore prompts.",
    "atp": "A gradient estimate of each head's effect on explore prompts: it nominates, it is no evidence.",
}
OUTCOME_COLOR = {"pass": "green", "fail": "red", "open": "orange", None: "gray"}


def badges(verdict: str | None, rung: int, status: str) -> str:
    """Verdict, rung and staleness as Markdown badges: sign, word and colour."""
    word = verdict or {"running": "on trial", "registered": "registered"}.get(status, status)
    found = [f":{VERDICT_COLOR[verdict]}-badge[{VERDICT_SIGN[verdict]} {word}]"]  # pyright: ignore[reportArgumentType]  # cards hold only verdict words
    found.append(f":gray-badge[rung {rung} · {RUNGS.get(rung, 'unknown')}]")
    if status == "stale":
        found.append(":orange-badge[:material/history: stale]")
    return " ".join(found)


def draw_claim(card: ClaimCard, read_result: Callable[[str], Result]) -> None:
    """The whole card. `read_result` fetches a stored result with its arrays."""
    with st.container(key="verdict", gap="xsmall"):
        st.markdown(badges(card.verdict, card.rung, card.status))
        st.subheader(plain(card.displayed), anchor=False)
        st.markdown(plain(card.reason))
        st.caption(f"{plain(card.scope)}")
        if card.verdict:
            st.caption(plain(card.track_record))
    if card.remarks:
        lines = [plain(remark) for remark in card.remarks]
        st.info(lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines), icon=":material/lightbulb:")
    if card.missing:
        with st.container(border=True, gap="xsmall"):
            st.markdown("**What would change this**")
            st.markdown("\n".join(f"- {plain(line)}" for line in card.missing))
    draw_predictions(card)
    draw_evidence(card, read_result)
    draw_literature(card)
    draw_record(card)
    draw_take_away(card)


def draw_predictions(card: ClaimCard) -> None:
    """Expected against observed: the interval plot, with its table."""
    st.markdown("#### Predictions: expected against observed")
    shown = [p for p in card.predictions if p.role != "assay"]
    if not shown:
        st.caption("No prediction has been registered for this claim yet.")
        return
    palette = figures.palette_for(st.context.theme.type)
    if any(p.estimate is not None for p in shown):
        st.plotly_chart(
            figures.intervals(shown, palette),
            key=f"intervals-{card.claim_id}",
            config=figures.PLAIN_CONFIG,
            alt="Observed intervals of each prediction against its thresholds; the table below holds the numbers.",
        )
        st.caption(
            "Points are estimates with their intervals. A point passes in the green range, which begins (or ends) at the "
            "smallest effect worth a claim; dotted lines end what counts as negligible. Hollow points corroborate and decide nothing."
        )
    st.table([_row(p) for p in shown], hide_index=True, border="horizontal")
    draw_assays(card)


def draw_assays(card: ClaimCard) -> None:
    """The checks inside every run; a failed one means no verdict."""
    checked = {(p.key, c.name): (p.key, c) for p in card.predictions for c in p.controls if c.passed is not None}
    if not checked:
        return
    held = sum(control.passed is True for _, control in checked.values())
    with st.expander(f"Assay controls: {held} of {len(checked)} held", icon=":material/verified:"):
        rows = [
            {
                "": ":green-badge[held]" if control.passed else ":red-badge[failed]",
                "in": key,
                "control": plain(control.name),
                "observed": number(control.observed),
                "expected": plain(control.expected),
            }
            for key, control in checked.values()
        ]
        st.table(rows, hide_index=True, border="horizontal")


def _row(p: PredictionCard) -> dict[str, str]:
    return {
        "": f":{OUTCOME_COLOR[p.outcome]}-badge[{OUTCOMES[p.outcome]}]",
        "prediction": f"**{p.key}** {p.role}",
        "experiment": plain(p.experiment),
        "expected": plain(p.expects),
        "observed": observed(p),
        "n": str(p.n or "–"),
        "why": plain(p.reason),
    }


def draw_evidence(card: ClaimCard, read_result: Callable[[str], Result]) -> None:
    """Where the component stands: the map of all heads, and its matched controls."""
    ranked = next((p for p in card.predictions if p.control_values), None)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        if card.heatmap_result_id:
            draw_heatmap(card, read_result(card.heatmap_result_id))
    with right:
        if ranked is not None:
            draw_controls(card, ranked)


def draw_heatmap(card: ClaimCard, result: Result) -> None:
    """Effects of all heads by layer; the claim's own components are framed."""
    name = next((n for n in MAPS if n in result.arrays), None)
    if name is None or result.arrays[name].ndim != 2:
        return
    values = np.asarray(result.arrays[name], dtype=float)
    st.markdown("#### Every head of the model")
    st.caption(MAPS[name])
    palette = figures.palette_for(st.context.theme.type)
    st.plotly_chart(
        figures.heatmap(values, palette, quantity="AtP" if name == "atp" else name, marked=_heads(card)),
        key=f"heatmap-{card.claim_id}",
        config=figures.PLAIN_CONFIG,
        alt=f"{name} of every head by layer; the table below holds the numbers.",
    )
    with st.expander("Numbers of this map"):
        rows = [
            {"component": f"a{layer}.h{head}", name: float(values[layer, head])}
            for layer in range(values.shape[0])
            for head in range(values.shape[1])
        ]
        rows.sort(key=lambda row: -abs(row[name]))
        st.dataframe(rows, hide_index=True, height=260)


def draw_controls(card: ClaimCard, p: PredictionCard) -> None:
    """The matched controls' distribution with the component marked."""
    st.markdown("#### Against its matched controls")
    palette = figures.palette_for(st.context.theme.type)
    label = ", ".join(card.components[:2]) + ("…" if len(card.components) > 2 else "")
    st.plotly_chart(
        figures.controls(p, label, palette),
        key=f"controls-{card.claim_id}",
        config=figures.PLAIN_CONFIG,
        alt=f"Histogram of the {p.quantity} of matched controls, with {label} marked.",
    )
    if p.p_rank is not None:
        st.caption(f"rank p = {number(p.p_rank)}: the share of controls, itself included, that reach as far.")
    with st.expander("Numbers of the controls"):
        labels = p.control_labels or [f"control {i + 1}" for i in range(len(p.control_values))]
        rows = [{"control": a, p.quantity: b} for a, b in zip(labels, p.control_values, strict=True)]
        st.dataframe(rows, hide_index=True, height=220)


def _heads(card: ClaimCard) -> list[Component]:
    found = []
    for text in card.components:
        try:
            found.append(parse_component(text))
        except ExperimentError:
            continue  # an edge or a task's own label: nothing to frame in a map of heads
    return found


def draw_record(card: ClaimCard) -> None:
    """Where it comes from: registration, provenance, attempts."""
    with st.expander("Registration and provenance", icon=":material/fingerprint:"):
        rows = {
            "claim": card.claim_id,
            "registered": card.registered_at,
            "preregistration hash": card.prereg_hash,
            "confirm seed (from the hash)": str(card.confirm_seed),
            "method version": card.method_version,
            **{str(name).replace("_", " "): _value(value) for name, value in card.provenance.items()},
            **{str(name).replace("_", " "): _value(value) for name, value in card.strength.items()},
        }
        st.table(
            [{"": plain(name), " ": plain(value)} for name, value in rows.items()], hide_index=True, hide_header=True
        )
    with st.expander(f"Attempts: {len(card.attempts)}", icon=":material/history:"):
        st.caption("Every experiment that was started counts, finished or not.")
        if card.attempts:
            st.dataframe([{k: _value(v) for k, v in row.items()} for row in card.attempts], hide_index=True)


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return ", ".join(f"{k} {_value(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(v) for v in value)
    return "–" if value is None else str(value)
