"""Probes on planted models: the unused flag is decodable, and shuffled weights decode nothing."""

import pytest
import torch

from tools.errors import ExperimentError
from tools.experiments.linear_probe import LinearProbe, linear_probe
from tools.random_weights import shuffled_weights

NAMES = {"task": "planted-names", "n": 100, "n_train": 400, "shuffles": 19}


def run(lab, spec, **params):
    return linear_probe(lab(f"planted:{spec}"), LinearProbe(**params))


def test_the_repeated_name_is_decoded_at_the_end_once_a_head_has_brought_it(lab):
    before = run(lab, "names", layer=1, target="token:S2", **NAMES)
    after = run(lab, "names", layer=2, target="token:S2", **NAMES)
    assert before.estimate("accuracy").value < 0.2
    assert after.estimate("accuracy").value > 0.9
    assert after.estimate("over_embedding").low > 0.5 and after.estimate("over_random_weights").low > 0.1
    assert after.arrays["selectivity_per_prompt"].shape == (100,)


def test_the_profile_has_one_accuracy_per_stream(lab):
    result = run(lab, "names", target="token:S2", **NAMES)
    assert result.arrays["accuracy_by_layer"].shape == (4,)
    assert result.arrays["accuracy_by_layer"][2] > result.arrays["accuracy_by_layer"][1] + 0.5


def test_confirm_tests_on_prompts_the_probe_never_saw(lab):
    result = run(lab, "names", layer=2, target="token:S2", split="confirm", **NAMES)
    assert result.estimate("accuracy").value > 0.9


def test_shuffled_weights_keep_their_values_and_leave_the_original_alone(lab):
    decoder = lab("planted:names").model.decoder
    before = decoder.w_e.clone()
    shuffled = shuffled_weights(decoder, 0)
    assert torch.equal(decoder.w_e, before) and not torch.equal(shuffled.w_e, before)
    assert torch.equal(shuffled.w_e.flatten().sort().values, before.flatten().sort().values)
    assert shuffled.blocks[0].attn.n_heads == 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"target": "gender"}, "target 'gender' is unknown"),
        ({"target": "token:VERB"}, "no position 'VERB'"),
        ({"target": "order"}, "at least two labels"),
        ({"layer": 7, "target": "template"}, "layer must lie in 0 to 3"),
    ],
)
def test_wrong_requests_are_explained(lab, params, message):
    with pytest.raises(ExperimentError, match=message):
        run(lab, "names", **params, **NAMES)
