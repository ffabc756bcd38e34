"""Guards bite: gradient scores, explore prompts, other data than registered."""

import re
from pathlib import Path

import pytest

import tools.experiments as experiments_folder
from agent.errors import ClaimError
from agent.guards import NOMINATORS, check_predictions
from agent.judge import judge
from tests.agent.made import necessity_evidence, registration
from tools.result import Result

NOMINATOR = re.compile(r'@experiment\("([\w-]+)", version=\d+, kind="nominator"[,)]')


def changed(result: Result, **fields: object) -> Result:
    """A result with other parameters or provenance."""
    provenance = result.provenance.model_copy(update={k: v for k, v in fields.items() if k != "params"})
    return result.model_copy(update={"provenance": provenance, "params": fields.get("params", result.params)})


def test_gradient_scores_are_never_evidence():
    prediction = registration().critical()[0].model_copy(update={"experiment": "screen"})
    with pytest.raises(ClaimError, match="G13"):
        check_predictions([prediction])


def test_every_nominator_of_the_laboratory_is_known_to_the_guard():
    found = (Path(experiments_folder.__path__[0])).glob("*.py")
    named = {m[1] for path in found for m in NOMINATOR.finditer(path.read_text(encoding="utf-8"))}
    assert named == NOMINATORS


def test_explore_prompts_are_never_evidence():
    prediction = registration().critical()[0].model_copy(update={"params": {"split": "explore"}})
    with pytest.raises(ClaimError, match="G11"):
        check_predictions([prediction])


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"params": {"split": "explore"}}, "explore prompts"),
        ({"params": {"split": "confirm", "seed": 1}}, "another seed"),
        ({"model_sha256": "cd" * 32}, "another model"),
        ({"task_version": "2"}, "another version of the task"),
    ],
)
def test_other_data_than_registered_gives_no_verdict(fields: dict[str, object], says: str):
    evidence = necessity_evidence(0.36)
    evidence["C1"] = [changed(evidence["C1"][0], **fields)]
    verdict = judge(registration(), evidence)
    assert verdict.verdict == "inconclusive"
    assert says in verdict.reason


def test_self_repair_is_noted_by_its_guard():
    assert judge(registration("a23.h0"), necessity_evidence(0.01, direct=0.19, sd=0.04)).guards == ["G9"]


def test_a_single_named_intervention_is_noted_and_capped():
    record = registration(details={"intervention": "zero"})
    verdict = judge(record, {key: necessity_evidence(0.36)[key] for key in ("A1", "C1")})
    assert (verdict.verdict, verdict.rung, verdict.guards) == ("supported", 2, ["G8"])
