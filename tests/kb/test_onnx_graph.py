"""The embedder without torch gives the numbers of transformers, and is careful about length."""

import json

import numpy as np
import pytest

from kb.errors import KbError
from kb.onnx_embedder import OnnxEmbedder
from kb.onnx_graph import write_onnx

TEXTS = ["What is an induction head?", "The IOI circuit has 26 heads. " * 60, "귀납 헤드", "x", "`a9.h9` -> logits"]


def test_packaged_embedder_equals_transformers(minilm, minilm_folder):
    torch = pytest.importorskip("torch")
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm_folder)
    model = AutoModel.from_pretrained(minilm_folder).eval()
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    expected = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).numpy()
    np.testing.assert_allclose(minilm.embed(TEXTS), expected, atol=2e-6)


def test_order_and_batch_do_not_matter(minilm):
    together = minilm.embed(TEXTS * 8)
    alone = np.concatenate([minilm.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(together[:5], alone, atol=2e-6)


def test_count_tells_what_would_be_cut_off(minilm):
    assert minilm.count(TEXTS[1]) > minilm.limit == 256
    assert minilm.count("") == 2


def test_other_architectures_are_refused_in_a_sentence(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "hidden_act": "silu"}))
    with pytest.raises(KbError, match=r"'llama' model; only BERT"):
        write_onnx(tmp_path)


def test_missing_embedder_names_the_command(tmp_path):
    with pytest.raises(KbError, match="models fetch"):
        OnnxEmbedder(tmp_path)
