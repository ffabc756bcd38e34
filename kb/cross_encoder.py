"""The library's own cross-encoder: reads a question and a passage together and tells whether the passage answers it.

MiniLM, taught on questions about the starter notes (`benchmarks/library_cross_encoder.py`), eight-bit through ONNX Runtime. It
sees the first `LIMIT` tokens of a pair. It knows English; of a Korean question it is given the English words. Its log odds are
one signal among many of `kb.answerable`; no verdict and no ranking rests on it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from safetensors import safe_open
from tokenizers import Tokenizer

from kb.errors import KbError
from kb.onnx_session import open_session, run_each

CHANGES = Path(__file__).parent / "cross_encoder.npz"
LIMIT = 192  # tokens of a pair
QUESTION = 400  # characters of a question that are read
MARK, MARKED = "embeddings.LayerNorm.weight", "75076e095d717aab"  # a small tensor of the packaged MiniLM and its hash


class CrossEncoder:
    """The cross-encoder made from the embedder in a folder."""

    def __init__(self, folder: Path, changes: Path = CHANGES) -> None:
        """Load it, making it first if that has not been done. Raises KbError when the folder holds another embedder."""
        if not fits(folder):
            raise KbError(f"The cross-encoder needs the packaged MiniLM, which is not in {folder}.")
        path = folder / f"cross_encoder-{hashlib.sha256(changes.read_bytes()).hexdigest()[:12]}.onnx"
        if not path.is_file():
            from kb.cross_encoder_graph import write_cross_encoder  # only the first load needs onnx and safetensors

            write_cross_encoder(folder, changes, path)
            for older in set(folder.glob("cross_encoder-*.onnx")) - {path}:
                older.unlink(missing_ok=True)
        self._session = open_session(path)
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LIMIT, strategy="longest_first")  # the passage, unless the question is longer
        self._tokenizer.no_padding()

    def log_odds(self, question: str, passages: Sequence[str]) -> Float32[np.ndarray, " passage"]:
        """For each passage the log odds that it answers the question. Each is read alone: together they would be padded."""

        def read(passage: str) -> float:
            return float(np.asarray(self._session.run(["log_odds"], self.tokens(question, passage))[0])[0, 0])

        return np.array(run_each(read, passages), dtype=np.float32)

    def tokens(self, question: str, passage: str) -> dict[str, np.ndarray]:
        """The model's inputs for a question with a passage, as a batch of one."""
        encoded = self._tokenizer.encode(question[:QUESTION], passage)
        fields = {"ids": encoded.ids, "mask": encoded.attention_mask, "segments": encoded.type_ids}
        return {name: np.array([numbers], dtype=np.int64) for name, numbers in fields.items()}


def fits(folder: Path) -> bool:
    """Whether `folder` holds the weights that the changes were made for: another model of the same shape would read nonsense."""
    if not all((folder / name).is_file() for name in ("config.json", "model.safetensors", "tokenizer.json")):
        return False
    with safe_open(folder / "model.safetensors", "np") as weights:
        if MARK not in weights.keys():  # noqa: SIM118  # it has no __contains__
            return False
        return hashlib.sha256(weights.get_tensor(MARK).tobytes()).hexdigest()[:16] == MARKED
