"""An optional cross-encoder: reads question and passage together and orders the best documents of a search anew.

Any model exported to ONNX in a folder with `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`, with one score for each
pair (the ms-marco MiniLM kind); nothing is downloaded. It sees at most 512 tokens of a pair. It orders; whether the library
says anything is decided without it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32
from tokenizers import Tokenizer

from kb.errors import KbError

LIMIT = 512
BATCH = 8


class OnnxReranker:
    """The cross-encoder in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises KbError when the folder holds none."""
        models = [path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path.is_file()]
        if not models or not (folder / "tokenizer.json").is_file():
            raise KbError(
                f"There is no cross-encoder in {folder}: it needs model.onnx and tokenizer.json. Correct or unset "
                "CIRCUIT_COURT_RERANKER."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # experiments share the processor
        self._session = onnxruntime.InferenceSession(str(models[0]), options, providers=["CPUExecutionProvider"])
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LIMIT, strategy="only_second")
        self._tokenizer.enable_padding()

    def scores(self, question: str, texts: Sequence[str]) -> Float32[np.ndarray, " text"]:
        """How well each text answers the question; only the order means something."""
        found: list[np.ndarray] = []
        for start in range(0, len(texts), BATCH):
            encoded = self._tokenizer.encode_batch([(question, text) for text in texts[start : start + BATCH]])
            fields = {
                "input_ids": [entry.ids for entry in encoded],
                "attention_mask": [entry.attention_mask for entry in encoded],
                "token_type_ids": [entry.type_ids for entry in encoded],
            }
            given = {name: np.array(fields[name], dtype=np.int64) for name in self._inputs}
            logits = np.asarray(self._session.run(None, given)[0], dtype=np.float32)
            found.append(logits.reshape(len(encoded), -1)[:, -1])
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)
