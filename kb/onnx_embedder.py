"""Sentence vectors without torch: a BERT embedder through ONNX Runtime.

The packaged MiniLM-L6-v2 (384 dimensions) reads at most 256 tokens and ignores the rest without a word, so `count` is
public and `kb.passages` keeps every passage inside the budget. Vectors are L2-normalised: their dot product is the
cosine. MiniLM knows next to no Korean; `kb.search` does not ask it about Korean words.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32
from tokenizers import Tokenizer

from kb.errors import KbError

BATCH = 16
FILE_NAME = "embedder.onnx"


class OnnxEmbedder:
    """The embedder in a folder that holds `embedder.onnx` (written once from the weights) and `tokenizer.json`."""

    def __init__(self, folder: Path) -> None:
        """Load from `folder`, converting the weights first if that has not been done.

        Raises KbError when the folder holds no embedder.
        """
        if not (folder / "tokenizer.json").is_file():
            raise KbError(f"There is no embedder in {folder}. Fetch it with: circuit-court models fetch --packaged")
        if not (folder / FILE_NAME).is_file():
            from kb.onnx_graph import write_onnx  # only the first load needs onnx and safetensors

            write_onnx(folder)
        self.folder = folder
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # experiments share the processor
        self._session = onnxruntime.InferenceSession(
            str(folder / FILE_NAME), options, providers=["CPUExecutionProvider"]
        )
        settings = folder / "sentence_bert_config.json"
        self.limit = json.loads(settings.read_text())["max_seq_length"] if settings.is_file() else 256
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.dimension = int(self._session.get_outputs()[0].shape[1])
        self.name = f"{folder.name}/{self.dimension}"

    def count(self, text: str) -> int:
        """How many tokens a text has, with the two special ones."""
        return len(self._tokenizer.encode(text).ids)

    def knows(self, word: str) -> bool:
        """Whether a word is one token, and not the unknown one."""
        tokens = self._tokenizer.encode(word, add_special_tokens=False).tokens
        return len(tokens) == 1 and tokens != ["[UNK]"]

    def embed(self, texts: Sequence[str]) -> Float32[np.ndarray, "text dimension"]:
        """Unit vectors of the texts, each cut at `limit` tokens; similar lengths are batched together."""
        encoded = [self._clip(encoding.ids) for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.zeros((len(encoded), self.dimension), dtype=np.float32)
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            length = max(len(encoded[row]) for row in rows)
            ids = np.zeros((len(rows), length), dtype=np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(rows):
                ids[place, : len(encoded[row])] = encoded[row]
                mask[place, : len(encoded[row])] = 1
            vectors[rows] = np.asarray(self._session.run(["vector"], {"ids": ids, "mask": mask})[0])
        return vectors

    def _clip(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.limit else [*ids[: self.limit - 1], ids[-1]]
