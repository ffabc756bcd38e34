"""What can be read from the stream at a layer: probes (T6) and the lens (T9)."""

import numpy as np
import pytest

from agent.claim_parser import parse_claim
from agent.claims import Claim
from agent.errors import ClaimError
from agent.judge import Verdict, judge
from agent.predictions import register
from tests.agent.made import assay, result, sample, situation
from tools.result import Estimate


def read(text: str) -> Claim:
    return parse_claim(text, model="smollm2", task="ioi", tasks=["ioi", "induction"])


@pytest.mark.parametrize(
    ("text", "site", "target"),
    [
        ("the order of the names is decodable at resid20@END", "resid20@END", "order"),
        ("which name is the answer is linearly decodable at layer 20", "resid20@END", "order"),
        ("layer 20 encodes the S2 token at S1", "resid20@S1", "token:S2"),
        ("이름의 순서는 레이어 20에서 디코딩할 수 있다", "resid20@END", "order"),
    ],
)
def test_sentences_about_probes(text: str, site: str, target: str):
    claim = read(text)
    assert (claim.type, claim.components, claim.details) == ("decoding", (site,), {"target": target})


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("the logit lens reads the answer at layer 24", {}),
        ("the logit lens first reads the answer at layer 24", {"onset": True}),
        ("by layer 24 the model knows the answer", {"knows": True}),
        ("로짓 렌즈는 레이어 24에서 답을 읽는다", {}),
    ],
)
def test_sentences_about_the_lens(text: str, details: dict[str, bool]):
    claim = read(text)
    assert (claim.type, claim.components, claim.details) == ("readable", ("resid24@END",), details)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("layer 20 stores something beautiful", "What is said to be decodable"),
        ("head 20.0 knows the answer", "name the place"),
        ("the circuit decodes the order of the names at layer 20", "more than a probe can show"),
        ("f12:4051 represents names", "no sparse autoencoder"),
        ("m3.n17 responds to commas", "labelled tokens"),
        ("steering with m3 along a direction changes IOI", "no experiment here adds a direction"),
    ],
)
def test_what_cannot_be_read_here_says_why(text: str, reason: str):
    with pytest.raises(ClaimError, match=reason):
        read(text)


def probed(**means: float) -> Verdict:
    usual = {
        "accuracy": 0.98,
        "selectivity": 0.5,
        "over_shuffles": 0.35,
        "over_random_weights": 0.5,
        "over_embedding": 0.5,
    }
    arrays = {f"{name}_per_prompt": sample(mean, 0.1, n=128) for name, mean in {**usual, **means}.items()}
    found = result("linear-probe", arrays=arrays)
    found.estimates.append(Estimate(name="chance", value=0.5))
    return judge(
        register(read("the order of the names is decodable at resid20@END"), situation()),
        {key: [found] for key in ("C1", "C2", "C3", "C4", "C5")},
    )


def test_a_probe_beyond_its_controls_is_decodable_and_no_more():
    verdict = probed()
    assert (verdict.verdict, verdict.rung) == ("supported", 2)
    assert "which is all that a probe shows" in verdict.displayed


@pytest.mark.parametrize(
    ("means", "word"),
    [
        ({"accuracy": 0.52}, "refuted"),
        ({"selectivity": 0.0}, "inconclusive"),
        ({"over_embedding": 0.0}, "refuted"),
        ({"over_random_weights": 0.01}, "refuted"),
    ],
)
def test_each_control_of_a_probe_can_take_the_support_away(means: dict[str, float], word: str):
    assert probed(**means).verdict == word


def lens(text: str, *, here: float, before: float = 0.0, restore: float = 0.9) -> Verdict:
    arrays = {
        "lens_per_prompt": sample(here, 0.1, n=64),
        "lens_before_per_prompt": sample(before, 0.05, n=64),
        "random_pairs": np.linspace(-0.2, 0.2, 99),
    }
    evidence = {key: [result("logit-lens", arrays=arrays)] for key in ("C1", "C2", "C3")}
    evidence["C4"] = [result("head-patching", arrays={"restore_per_prompt": sample(restore, 0.1, n=64)})]
    record = register(read(text), situation())
    return judge(record, {"A1": [assay()], **{one.key: evidence[one.key] for one in record.critical()}})


def test_the_lens_reads_the_answer_or_does_not():
    text = "the logit lens reads the answer at layer 24"
    assert (lens(text, here=1.0).verdict, lens(text, here=1.0).rung) == ("supported", 1)
    missing = lens(text, here=0.01)
    assert missing.verdict == "refuted"
    assert "absent from the lens is not absent" in missing.displayed


def test_an_onset_must_not_be_readable_before():
    text = "the logit lens first reads the answer at layer 24"
    assert lens(text, here=1.0).verdict == "supported"
    assert lens(text, here=1.0, before=0.8).verdict == "refuted"


def test_knowing_needs_the_stream_to_carry_it():
    text = "by layer 24 the model knows the answer"
    assert lens(text, here=1.0).verdict == "supported"
    assert lens(text, here=1.0, restore=0.1).verdict == "refuted"


def test_a_probe_of_a_component_is_refused():
    claim = Claim(type="decoding", model="smollm2", task="ioi", components=("m3",), details={"target": "order"})
    with pytest.raises(ClaimError, match="name the place as resid3@END"):
        register(claim, situation())


def test_a_neuron_is_compared_with_other_neurons():
    claim = Claim(type="necessity", model="smollm2", task="ioi", components=("m3.n17",))
    rank = next(one for one in register(claim, situation()).predictions if one.key == "C3")
    assert (rank.params["n_controls"], "controls" in rank.params) == (39, False)
