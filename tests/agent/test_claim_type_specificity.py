"""The word "specifically": a control behaviour that may cost at most half as much."""

from agent.claims import Claim
from agent.judge import Verdict, judge
from agent.predictions import register
from agent.situation import ControlFacts, Situation
from tests.agent.made import claim, necessity_evidence, result, sample, situation


def with_controls(*tasks: str) -> Situation:
    controls = tuple(
        ControlFacts(task=name, version="1", kept_templates=["t0"], all_templates=["t0", "t1"], result_id="r2")
        for name in tasks
    )
    return situation().model_copy(update={"controls": controls})


def judged(elsewhere: float) -> Verdict:
    record = register(claim(specific=True), with_controls("gendered-pronoun"))
    other = [result(arrays={"harm_per_prompt": sample(elsewhere, 0.05, n=64, seed=4)})]
    return judge(record, {**necessity_evidence(0.36), "S1": other})


def test_a_head_that_matters_little_elsewhere_is_specific():
    verdict = judged(0.05)
    assert verdict.verdict == "supported", verdict.reason
    assert "other behaviours at most half as much" in verdict.displayed
    assert "control behaviour gendered-pronoun" in verdict.scope


def test_a_head_that_matters_elsewhere_too_is_not_specific():
    verdict = judged(0.35)
    assert verdict.verdict == "refuted"
    assert "matters to another behaviour" in verdict.displayed


def test_half_as_much_cannot_be_told():
    assert judged(0.18).verdict == "inconclusive"


def test_the_control_behaviour_runs_on_its_own_templates():
    record = register(claim(specific=True), with_controls("gendered-pronoun"))
    control = next(one for one in record.predictions if one.key == "S1")
    assert (control.params["task"], control.params["templates"]) == ("gendered-pronoun", ["t0"])
    assert record.near_miss_table["matters_as_much_elsewhere"] == ["S1"]


def test_without_a_control_behaviour_specifically_is_never_supported():
    verdict = judge(register(claim(specific=True), situation()), necessity_evidence(0.36))
    assert verdict.verdict == "inconclusive"
    assert "'specifically' needs 1 other behaviour" in verdict.reason


def test_a_specific_circuit_needs_two_control_behaviours():
    circuit = Claim(type="circuit", model="smollm2", task="ioi", components=("1.0", "2.0"), specific=True)
    record = register(circuit, with_controls("gendered-pronoun", "docstring"))
    assert [one.key for one in record.predictions if one.experiment == "head-ablation"] == ["B1", "S1", "S2"]
    assert circuit.kind.untested(circuit, register(circuit, with_controls("docstring")).predictions)
    assert not circuit.kind.untested(circuit, record.predictions)


def test_registrations_that_need_no_control_keep_their_hash():
    assert "controls" not in register(claim(), situation()).model_dump(mode="json")["situation"]
