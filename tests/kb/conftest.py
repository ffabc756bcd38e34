"""A small embedder that needs no model, libraries in throw-away folders, and the packaged embedder."""

import hashlib
import math
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

    def knows(self, word):
        return False

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


def _shown(x, y, size, text, slant=0):
    cosine, sine = math.cos(math.radians(slant)), math.sin(math.radians(slant))
    matrix = f"{cosine:.4f} {sine:.4f} {-sine:.4f} {cosine:.4f} {x} {y}"
    return f"BT /F1 {size} Tf {matrix} Tm ({text}) Tj ET\n".encode("latin-1")


def pdf_bytes(pages):
    """A PDF made by hand: pages of (x, y, size, text) lines in Helvetica, with a slant in degrees as a fifth."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        stream = b"".join(_shown(*line) for line in lines)
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects) + 2} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n" % len(stream) + stream + b"endstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


@pytest.fixture
def make_pdf(tmp_path):
    def make(name, pages):
        path = tmp_path / name
        path.write_bytes(pdf_bytes(pages))
        return path

    return make
