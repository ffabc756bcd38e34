"""The library's own cross-encoder: reads a question and a passage together and tells whether the passage answers it.

MiniLM, taught on questions about the starter notes (`benchmarks/library_cross_encoder.py`), eight-bit through ONNX Runtime. It
sees the first `LIMIT` tokens of a pair. It knows English; of a Korean question it is given the English words. Its log odds are
one signal among many of `kb.answerable`; no verdict and no ranking rests on it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32
from safetensors import safe_open
from tokenizers import Tokenizer

from kb.errors import KbError

CHANGES = Path(__file__).parent / "cross_encoder.npz"
LIMIT = 128  # tokens of a pair
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
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # experiments share the processor
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LIMIT, strategy="only_second")
        self._tokenizer.enable_padding()

    def log_odds(self, question: str, passages: Sequence[str]) -> Float32[np.ndarray, " passage"]:
        """For each passage the log odds that it answers the question."""
        if not passages:
            return np.zeros(0, dtype=np.float32)
        return np.asarray(self._session.run(["log_odds"], self.tokens(question, passages))[0], dtype=np.float32)[:, 0]

    def tokens(self, question: str, passages: Sequence[str]) -> dict[str, np.ndarray]:
        """The model's inputs for a question with each passage."""
        encoded = self._tokenizer.encode_batch([(question[:QUESTION], passage) for passage in passages])
        fields = {"ids": "ids", "mask": "attention_mask", "segments": "type_ids"}
        return {
            name: np.array([getattr(entry, field) for entry in encoded], dtype=np.int64)
            for name, field in fields.items()
        }


def fits(folder: Path) -> bool:
    """Whether `folder` holds the weights that the changes were made for: another model of the same shape would read nonsense."""
    if not all((folder / name).is_file() for name in ("config.json", "model.safetensors", "tokenizer.json")):
        return False
    with safe_open(folder / "model.safetensors", "np") as weights:
        if MARK not in weights.keys():  # noqa: SIM118  # it has no __contains__
            return False
        return hashlib.sha256(weights.get_tensor(MARK).tobytes()).hexdigest()[:16] == MARKED
