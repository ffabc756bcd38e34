"""Sentence vectors without torch: a BERT embedder through ONNX Runtime.

The packaged MiniLM-L6-v2 (384 dimensions) reads at most 256 tokens and ignores the rest without a word, so `count` is
public and `kb.passages` keeps every passage inside the budget. Vectors are L2-normalised: their dot product is the
cosine. MiniLM knows next to no Korean; `kb.search` does not ask it about Korean words.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from tokenizers import Tokenizer

from kb.cross_encoder import fits
from kb.errors import KbError
from kb.onnx_session import open_session, run_each

BATCH = 16
FILE_NAME = "embedder.onnx"


class OnnxEmbedder:
    """The embedder in a folder that holds `embedder.onnx` (written once from the weights) and `tokenizer.json`."""

    def __init__(self, folder: Path) -> None:
        """Load from `folder`, converting the weights first if that has not been done.

        Raises KbError when the folder holds no embedder, or a network with other inputs and outputs.
        """
        if not (folder / "tokenizer.json").is_file():
            raise KbError(f"There is no embedder in {folder}. Fetch it with: circuit-court models fetch --packaged")
        if not (folder / FILE_NAME).is_file():
            from kb.onnx_graph import write_onnx  # only the first load needs onnx and safetensors

            write_onnx(folder)
        self.folder = folder
        self._session = open_session(folder / FILE_NAME)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if {given.name for given in inputs} != {"ids", "mask"} or [told.name for told in outputs] != ["vector"]:
            raise KbError(
                f"{folder / FILE_NAME} takes {', '.join(given.name for given in inputs)} and gives "
                f"{', '.join(told.name for told in outputs)}; an embedder takes ids, mask and gives vector. Remove it to have "
                "BERT weights converted, or correct or unset CIRCUIT_COURT_EMBEDDER."
            )
        settings = folder / "sentence_bert_config.json"
        self.limit = json.loads(settings.read_text())["max_seq_length"] if settings.is_file() else 256
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.dimension = int(outputs[0].shape[1])
        self.name = f"{folder.name}/{self.dimension}"
        if not fits(folder):  # another model may stand in a folder of the same name
            with (folder / FILE_NAME).open("rb") as network:
                self.name += f"/{hashlib.file_digest(network, 'sha256').hexdigest()[:8]}"

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
        batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        embedded = run_each(self._embed_batch, [[encoded[row] for row in rows] for rows in batches])
        for rows, found in zip(batches, embedded, strict=True):
            vectors[rows] = found
        return vectors

    def _embed_batch(self, encoded: Sequence[Sequence[int]]) -> Float32[np.ndarray, "text dimension"]:
        ids = np.zeros((len(encoded), max(len(tokens) for tokens in encoded)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return np.asarray(self._session.run(["vector"], {"ids": ids, "mask": mask})[0])

    def _clip(self, ids: list[int]) -> list[int]:
        return ids if len(ids) <= self.limit else [*ids[: self.limit - 1], ids[-1]]
