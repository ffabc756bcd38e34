"""The optional cross-encoder: a tiny one, made here, that likes one word."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from kb.errors import KbError
from kb.library import Library
from kb.reranker import OnnxReranker

WORDS = ["[PAD]", "[UNK]", "wonderful", "plain"]


@pytest.fixture
def likes_wonderful(tmp_path):
    """A cross-encoder whose score is how often a pair says "wonderful", less how often it says "plain"."""
    folder = tmp_path / "reranker"
    folder.mkdir()
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = numpy_helper.from_array(np.array([0, 0, 1, -1], dtype=np.float32), "table")
    axis = numpy_helper.from_array(np.array([1], dtype=np.int64), "axis")
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["values"]),
            helper.make_node("ReduceSum", ["values", "axis"], ["logits"], keepdims=1),
        ],
        "likes",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["pair", "token"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["pair", 1])],
        [table, axis],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    return folder


def test_scores_are_the_models(likes_wonderful):
    texts = ["plain plain", "wonderful thing", "nothing"] * 5
    assert OnnxReranker(likes_wonderful).scores("a plain question", texts).tolist() == [-3.0, 0.0, -1.0] * 5


def test_search_is_ordered_by_the_cross_encoder(tmp_path, word_embedder, write_notes, likes_wonderful):
    vault = write_notes(
        {"a.md": "copy heads copy names, plain", "b.md": "copy heads", "c.md": "copy heads are a wonderful thing"}
    )
    with Library.open(tmp_path / "home", embedder=word_embedder, reranker_folder=likes_wonderful) as library:
        library.add(vault)
        assert [hit.document_id for hit in library.search("copy heads copy names").hits] == ["c", "b", "a"]
        library.reranker_folder = None
        assert library.searcher(library._searcher.weights).search("copy heads copy names").hits[0].document_id == "a"


def test_folder_without_a_model_says_what_is_missing(tmp_path):
    with pytest.raises(KbError, match=r"needs model\.onnx"):
        OnnxReranker(tmp_path)
