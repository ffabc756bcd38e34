"""No head in these layers matters: every head, each interval."""

import numpy as np
import pytest

from agent.claim_parser import parse_claim
from agent.judge import judge
from agent.predictions import register
from tests.agent.made import assay, claim, result, sample, situation


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("no head in layers 3 to 5 matters for IOI", ("a3", "a4", "a5")),
        ("No head in layer 3 is needed for IOI", ("a3",)),
        ("none of the heads in layers 3-4 contributes to IOI", ("a3", "a4")),
    ],
)
def test_sentences(text: str, layers: tuple[str, ...]):
    found = parse_claim(text, model="smollm2", task="ioi", tasks=["ioi"])
    assert (found.type, found.components) == ("quiet-layers", layers)


def verdict(*means: float, sd: float = 0.02):
    record = register(claim("a3", type="quiet-layers"), situation(heads=len(means)))
    rows = np.stack([sample(mean, sd, n=64, seed=i) for i, mean in enumerate(means)])
    heads = record.critical()[0].params["components"]
    seen = [result(arrays={"harm_per_prompt": rows, "restore_per_prompt": rows}, labels={"components": heads})]
    return judge(record, {"A1": [assay()], "C1": seen, "C2": seen, "R1": seen})


def test_quiet_heads_are_supported_and_one_loud_head_refutes():
    assert verdict(0.0, 0.01, -0.01).verdict == "supported"
    loud = verdict(0.0, 0.3, 0.0)
    assert loud.verdict == "refuted" and "a3.h1" in loud.reason
    assert verdict(0.0, -0.3, 0.0).verdict == "refuted"


def test_a_head_at_the_floor_leaves_it_open():
    assert verdict(0.0, 0.05, 0.0).verdict == "inconclusive"
    assert verdict(0.0, 0.0, 0.03, sd=0.2).verdict == "inconclusive"


def test_every_head_of_the_layers_is_measured():
    record = register(claim("a3", type="quiet-layers"), situation())
    assert record.critical()[0].params["components"] == [f"a3.h{h}" for h in range(9)]
