"""What an MLP writes: sentences, and verdicts on a compiled model."""

from pathlib import Path

import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claim_parser import parse_claim
from agent.config import Config
from agent.errors import ClaimError
from agent.judge import judge
from agent.ledger.store import Ledger
from agent.predictions import register
from agent.verification import verify
from tests.agent.made import assay, claim, result, sample, situation
from tools.cases import read_case

CASE = Path(__file__).parents[1] / "data" / "cases" / "case_11"


@pytest.mark.parametrize(
    ("text", "value", "marks"),
    [
        ("MLP 0 maps each word to its length.", "word-length", False),
        ("MLP 0 flags positions holding the token 'X'.", "is:X", True),
        ("MLP 1 flags positions in the first half of the sequence.", "first-half", True),
        ("MLP 0 marks odd indices.", "odd-index", True),
        ("MLP 0 marks positions by the parity of their index.", "odd-index", False),
        ("MLP 0 adds the position index to the local number.", "number+index", False),
        ("Role of MLP 3: compares the mirrored token with the local token; True when equal.", "mirror-equal", False),
        ("MLP 1 tests whether the local number is divisible by the first number.", "divisible-by-first", False),
    ],
)
def test_sentences(text: str, value: str, marks: bool):
    found = parse_claim(text, model="case:x", task="case:x", tasks=["case:x"])
    assert (found.type, found.details) == ("value-role", {"value": value, **({"marks": True} if marks else {})})


@pytest.mark.parametrize("text", ["MLP 1 halves the sequence length.", "MLP 0 exchanges the indices 0 and 1."])
def test_renamings_have_no_reading(text: str):
    with pytest.raises(ClaimError, match="no test for that role exists"):
        parse_claim(text, model="case:x", task="case:x", tasks=["case:x"])


def test_a_compiled_mlp_is_told_from_its_near_miss(tmp_path: Path):
    case, config = read_case(CASE), Config.at(tmp_path)
    ledger = Ledger.open(config)
    lab = BenchLaboratory(Bench(config, ledger, worker_id="test"), ledger, case.spec)
    words = {}
    for text in ("MLP 0 maps each word to its length.", "MLP 0 maps each word to the number of vowels in it."):
        found = parse_claim(text, model=case.spec, task=case.spec, tasks=[case.spec])
        words[text] = verify(found, lab, ledger).verdict
    ledger.close()
    assert list(words.values()) == ["supported", "refuted"]


@pytest.mark.parametrize(("contrast", "word"), [(0.8, "supported"), (0.0, "inconclusive"), (-0.8, "refuted")])
def test_which_case_is_flagged_must_show(contrast: float, word: str):
    said = claim("m3", type="value-role", details={"value": "odd-index", "marks": True})
    arrays = {"decoded": 1.0, "explained": 1.0, "margin": 0.8, "contrast": contrast}
    seen = result("written-values", arrays={f"{k}_per_prompt": sample(v, 0.01, n=64) for k, v in arrays.items()})
    evidence = {key: [seen] for key in ("C1", "C2", "C3", "C5")}
    evidence |= {"A1": [assay()], "C4": [result(arrays={"harm_per_prompt": sample(0.5)})]}
    assert judge(register(said, situation()), evidence).verdict == word


def test_a_head_writes_no_value_claim():
    with pytest.raises(ClaimError, match="is no MLP"):
        register(claim("a1.h0", type="value-role", details={"value": "odd-index"}), situation())
