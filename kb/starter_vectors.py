"""The starter notes' vectors, shipped, so that the first library is made in seconds: `starter/vectors.npz`.

Each vector stands under `kb.store.vector_key` of the embedder and the text that was embedded, so one that no longer fits its
note is never found, and the text is embedded as any other. Stored as float16 (cosines change by less than 0.001),
handed out as float32 unit vectors. `python -m kb.write_starter_vectors MINILM_FOLDER` writes the file anew after an edit
of the notes; tests/kb/test_starter_vectors.py fails while it is due.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from kb.errors import KbError
from kb.starter_notes import FOLDER

FILE = FOLDER / "vectors.npz"
KEY = 32  # characters of a key


@cache
def shipped() -> dict[str, bytes]:
    """Vectors as `kb.store` keeps them, by key. Raises KbError when the file is damaged."""
    with np.load(FILE, allow_pickle=False) as stored:
        keys, vectors = stored["keys"], stored["vectors"].astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(keys) != len(vectors) or not (abs(lengths - 1) < 0.01).all():
        raise KbError(f"{FILE} is damaged. Get it again from the repository: git checkout -- {FILE.name}")
    vectors = (vectors / lengths).astype("<f4")
    return {str(key, "ascii"): vector.tobytes() for key, vector in zip(keys, vectors, strict=True)}


def save(found: Mapping[str, bytes]) -> None:
    """Write the file from float32 vectors by key."""
    keys = np.array(sorted(found), dtype=f"S{KEY}")
    vectors = np.stack([np.frombuffer(found[str(key, "ascii")], dtype="<f4") for key in keys])
    np.savez_compressed(FILE, keys=keys, vectors=vectors.astype(np.float16))
