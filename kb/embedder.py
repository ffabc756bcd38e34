"""What the library needs of an embedder: any object with these members can take the packaged one's place.

Vectors are L2-normalised, so that their dot product is the cosine. `kb.onnx_embedder` is the one that ships. `knows` tells whether a word stands
in the vocabulary as a whole: then it is a word of the language, and no slip of the pen.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float32


class Embedder(Protocol):
    """What the library needs of an embedder. `name` changes whenever its vectors would; `embed` may be called by any thread."""

    name: str
    dimension: int
    limit: int

    def embed(self, texts: Sequence[str]) -> Float32[np.ndarray, "text dimension"]: ...

    def count(self, text: str) -> int: ...

    def knows(self, word: str) -> bool: ...
