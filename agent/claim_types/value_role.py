"""T3 for MLPs: at each word the MLP writes one stated value, and the answers depend on it.

Critical: the value is told from the MLP's output on other prompts (C1) and accounts for what varies in it (C2), better
than every rival value in the language (C3), and removing the MLP changes the behaviour (C4). "Flags" and "marks" also
say which case is marked: the output must be longer there (C5); where both cases are written alike that stays open.
METHOD section 2, T3: read, write and effect; values that are renamings of one another are not told apart.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from agent.cards import VerdictWord
from agent.claim_types.necessity import ablation, assay, task_params
from agent.claims import FLOORS, Claim, ClaimType, Details, register_type, spoken, task_word
from agent.errors import ClaimError
from agent.findings import Finding, failures
from agent.predictions import Look, Prediction
from agent.rules import EffectRule
from agent.situation import Situation
from tools.component import parse_component
from tools.position_values import value_words

LOOKS = (Look(n=64, alpha=0.01),)


class ValueDetails(Details):
    """What is said to be written (`tools/position_values.py`)."""

    value: str = Field(description="word-length, odd-index, number+index, is:x, ...")
    marks: bool = Field(default=False, description="the sentence says which of two cases is flagged")


def _detail(claim: Claim) -> ValueDetails:
    detail = claim.detail()
    assert isinstance(detail, ValueDetails), detail
    return detail


def _does(claim: Claim) -> str:
    detail = _detail(claim)
    return f"{'flags' if detail.marks else 'writes'} {value_words(detail.value)}"


def _wording(claim: Claim) -> str:
    return f"{spoken(claim.components[0])} {_does(claim)} at each word, and {task_word(claim.task)} depends on it"


def _predictions(claim: Claim, situation: Situation) -> list[Prediction]:
    detail, name = _detail(claim), claim.components[0]
    if parse_component(name).kind != "mlp":
        raise ClaimError(f"{name} is no MLP; what a head does is claimed by where it looks and what it copies.")
    base = task_params(claim, situation)
    rules = {
        "C1": EffectRule(
            array="decoded_per_prompt", quantity="share told from the output", delta0=0.80, delta1=0.95, fail_below=0.60
        ),
        "C2": EffectRule(
            array="explained_per_prompt", quantity="share of its variance", delta0=0.80, delta1=0.90, refutes=False
        ),
        "C3": EffectRule(
            array="margin_per_prompt", quantity="margin over the best rival", delta0=0.005, delta1=0.02, fail_below=0.0
        ),
    }
    if detail.marks:
        rules["C5"] = EffectRule(
            array="contrast_per_prompt", quantity="output where it is marked", delta0=0.2, delta1=0.5, fail_below=-0.2
        )
    params = {**base, "component": name, "value": detail.value}
    found = [assay(claim, situation)]
    for key, rule in rules.items():
        found.append(
            Prediction(
                key=key, role="critical", experiment="written-values", params=params, rule=rule, looks=LOOKS, rung=1
            )
        )
    delta0, delta1 = FLOORS["minor"]
    method = situation.screen.strongest_method(name) if situation.screen else "resample"
    effect = EffectRule(array="harm_per_prompt", quantity=f"{method} harm", delta0=delta0, delta1=delta1)
    return [*found, ablation("C4", {**base, "components": [name], "method": method}, effect)]


def _near_misses(claim: Claim, predictions: Sequence[Prediction]) -> dict[str, list[str]]:
    del predictions
    table = {
        "another_value": ["C1", "C3"],
        "writes_something_finer": ["C2"],
        "wrong_component": ["C1", "C4"],
        "written_and_not_read": ["C4"],
    }
    if _detail(claim).marks:
        table["marks_the_opposite_case"] = ["C5"]
    return table


def _displayed(claim: Claim, verdict: VerdictWord, findings: Mapping[str, Finding]) -> str:
    what, task = spoken(claim.components[0]), task_word(claim.task)
    if verdict == "supported":
        return f"{what} {_does(claim)} at each word, and {task} depends on it"
    if verdict == "refuted":
        return f"{what} does not do what is said of it ({failures(findings)})"
    return f"what {what} writes stays open"


VALUE_ROLE = register_type(
    ClaimType(
        name="value-role",
        code="T3",
        rung=lambda claim: 4,
        wording=_wording,
        predictions=_predictions,
        near_misses=_near_misses,
        displayed=_displayed,
        details=ValueDetails,
        narrower="Its necessity can be claimed by itself.",
    )
)
