"""A small embedder that needs no model, libraries in throw-away folders, and the packaged embedder."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from agent.packaged import PACKAGED
from kb.library import Library
from kb.onnx_embedder import OnnxEmbedder
from ui.settings import load as load_settings


class WordEmbedder:
    """Words hashed into 64 dimensions: texts that share words are near. It counts calls and texts."""

    name = "words/64"
    dimension = 64
    limit = 256

    def __init__(self, name="words/64"):
        self.name = name
        self.embedded = 0

    def count(self, text):
        return len(re.findall(r"\w+|[^\w\s]", text)) + 2

    def embed(self, texts):
        self.embedded += len(texts)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                vectors[row, digest[0] % self.dimension] += 1.0 if digest[1] % 2 else -1.0
            vectors[row, 0] += 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def word_embedder():
    return WordEmbedder()


@pytest.fixture
def make_embedder():
    return WordEmbedder


@pytest.fixture
def library(tmp_path, word_embedder):
    with Library.open(tmp_path / "home", embedder=word_embedder) as opened:
        yield opened


@pytest.fixture
def write_notes(tmp_path):
    """Write notes into a vault: name -> text; returns the vault."""

    def write(notes):
        vault = tmp_path / "vault"
        for name, text in notes.items():
            path = vault / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return vault

    return write


@pytest.fixture(scope="session")
def starter(tmp_path_factory):
    """The starter library, embedded by the word embedder."""
    with Library.open(tmp_path_factory.mktemp("starter"), embedder=WordEmbedder()) as opened:
        opened.build_starter()
        yield opened


@pytest.fixture(scope="session")
def minilm_folder():
    """The packaged embedder's folder (fetched by make setup)."""
    return Path(load_settings().models_dir) / PACKAGED["minilm"].folder


@pytest.fixture(scope="session")
def minilm(minilm_folder):
    return OnnxEmbedder(minilm_folder)
