"""The packaged embedder without torch gives what the sentence-transformers library itself gives for the same folder."""

import numpy as np
import pytest

TEXTS = [
    "x",
    "What is an induction head?",
    "귀납 헤드",
    "`a9.h9` -> logits: 2.5 nats",
    "Ablating the name movers lowers the logit difference less than expected, because backup heads take over.",
    "The IOI circuit has 26 heads in seven classes. " * 4,
    "Sparse autoencoders find features; attribution graphs join them.\n\n" * 9,
    "A text that is longer than what the embedder reads is cut off at the same token. " * 40,
]


def test_packaged_embedder_equals_sentence_transformers(minilm, minilm_folder):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    model = sentence_transformers.SentenceTransformer(str(minilm_folder), device="cpu", local_files_only=True)
    expected = model.encode(TEXTS, normalize_embeddings=True, convert_to_numpy=True)
    found = minilm.embed(TEXTS)
    assert len({minilm.count(text) for text in TEXTS}) == len(TEXTS)
    assert minilm.count(TEXTS[-1]) > minilm.limit == model.max_seq_length
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found * expected).sum(axis=1).min() > 0.9999
