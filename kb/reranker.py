"""An optional cross-encoder: reads question and passage together and orders the best documents of a search anew.

Any model exported to ONNX in a folder with `model.onnx` (or `onnx/model.onnx`) and `tokenizer.json`, with one score for each
pair (the ms-marco MiniLM kind); nothing is downloaded. It sees at most 512 tokens of a pair. It orders; whether the library
says anything is decided without it.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from tokenizers import Tokenizer

from kb.errors import KbError
from kb.onnx_session import open_session, run_each

LIMIT = 512
BATCH = 4


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
        self._session = open_session(models[0])
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(LIMIT, strategy="longest_first")  # the passage, unless the question is longer
        self._tokenizer.enable_padding()

    def scores(self, question: str, texts: Sequence[str]) -> Float32[np.ndarray, " text"]:
        """How well each text answers the question; only the order means something."""
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        found = run_each(partial(self._scores, question), batches)
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)

    def _scores(self, question: str, texts: Sequence[str]) -> Float32[np.ndarray, " text"]:
        encoded = self._tokenizer.encode_batch([(question, text) for text in texts])
        fields = {
            "input_ids": [entry.ids for entry in encoded],
            "attention_mask": [entry.attention_mask for entry in encoded],
            "token_type_ids": [entry.type_ids for entry in encoded],
        }
        given = {name: np.array(fields[name], dtype=np.int64) for name in self._inputs}
        logits = np.asarray(self._session.run(None, given)[0], dtype=np.float32)
        return logits.reshape(len(encoded), -1)[:, -1]
