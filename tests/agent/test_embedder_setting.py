"""CIRCUIT_COURT_EMBEDDER: another embedder in the packaged one's place, a tiny BERT made here."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from agent.config import Config
from agent.library import open_library
from kb.errors import KbError
from kb.onnx_embedder import OnnxEmbedder
from kb.onnx_graph import save
from kb.starter_vectors import shipped
from ui.settings import load

WIDTH = 8
WORDS = ["[PAD]", "[UNK]", "alpha", "beta"]


def tiny_bert(folder, seed):
    """BERT weights of one layer, drawn at random, with a tokenizer of four words."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"model_type": "bert", "hidden_act": "gelu", "num_attention_heads": 2, "num_hidden_layers": 1}
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": WIDTH, "layer_norm_eps": 1e-12}))
    draw = np.random.default_rng(seed)
    layer = "encoder.layer.0"
    linear = {f"{layer}.attention.self.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value")}
    linear |= {f"{layer}.attention.output.dense": (WIDTH, WIDTH), f"{layer}.intermediate.dense": (16, WIDTH)}
    linear |= {f"{layer}.output.dense": (WIDTH, 16)}
    sizes = {"word": len(WORDS), "position": 512, "token_type": 2}
    weights = {f"embeddings.{name}_embeddings.weight": draw.normal(size=(size, WIDTH)) for name, size in sizes.items()}
    for name, shape in linear.items():
        weights |= {f"{name}.weight": draw.normal(size=shape), f"{name}.bias": draw.normal(size=shape[0])}
    for name in ("embeddings", f"{layer}.attention.output", f"{layer}.output"):
        weights |= {f"{name}.LayerNorm.weight": np.ones(WIDTH), f"{name}.LayerNorm.bias": np.zeros(WIDTH)}
    save_file({name: array.astype(np.float32) for name, array in weights.items()}, folder / "model.safetensors")
    return folder


def stored(library):
    with library.store.read() as connection:
        return dict(connection.exec_driver_sql("SELECT key, vector FROM vectors").all())


def test_setting_names_the_folder_and_unset_is_the_packaged_one(tmp_path, monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_HOME", str(tmp_path))
    assert load().embedder is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIRCUIT_COURT_EMBEDDER", "other")
    assert load().embedder == tmp_path / "other"


def test_weights_in_the_folder_embed_the_library(tmp_path):
    config = Config.at(tmp_path / "home", embedder=tiny_bert(tmp_path / "tiny", 0))
    with open_library(config) as library:
        library.add_text("alpha beta")
        assert library.store.setting("embedder").startswith("tiny/8/")
        assert {len(vector) for vector in stored(library).values()} == {4 * WIDTH}


@pytest.mark.parametrize("kept", [[], ["tokenizer.json"], ["tokenizer.json", "config.json"], ["embedder.onnx"]])
def test_folder_without_an_embedder_names_the_setting(tmp_path, kept):
    (tmp_path / "other").mkdir()
    for name in kept:
        (tmp_path / "other" / name).write_text("{}")
    with pytest.raises(KbError, match=r"needs tokenizer\.json and either .* Correct or unset CIRCUIT_COURT_EMBEDDER"):
        open_library(Config.at(tmp_path / "home", embedder=tmp_path / "other"))


def test_network_with_other_inputs_is_refused_in_a_sentence(tmp_path):
    import onnx
    from onnx import TensorProto, helper

    folder = tiny_bert(tmp_path / "other", 0)
    given = helper.make_tensor_value_info("input_ids", TensorProto.FLOAT, ["batch", WIDTH])
    told = helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["batch", WIDTH])
    graph = helper.make_graph([helper.make_node("Identity", ["input_ids"], ["pooled"])], "g", [given], [told])
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    save(model, folder / "embedder.onnx")
    with pytest.raises(KbError, match="takes input_ids and gives pooled; an embedder takes ids, mask and gives vector"):
        OnnxEmbedder(folder)


def test_two_models_in_folders_of_one_name_are_two_embedders(tmp_path):
    one, other = (OnnxEmbedder(tiny_bert(tmp_path / place / "same", seed)) for seed, place in enumerate("ab"))
    assert one.name != other.name


def test_build_with_another_embedder_embeds_everything_anew_without_the_shipped_vectors(tmp_path):
    """The folder bears the packaged embedder's very name, under which the shipped vectors stand."""
    plain = Config.at(tmp_path / "home", embedder=tiny_bert(tmp_path / "a" / "all-MiniLM-L6-v2", 0))
    other = Config.at(tmp_path / "home", embedder=tiny_bert(tmp_path / "b" / "all-MiniLM-L6-v2", 1))
    with open_library(plain) as library:
        library.build_starter()
        first = stored(library)
    with open_library(other) as library:
        library.build_starter()
        second = stored(library)
        assert library.store.setting("embedder") == library.embedder.name
    assert len(first) == len(second) > 0
    assert not first.keys() & second.keys()
    assert not (first.keys() | second.keys()) & shipped().keys()
