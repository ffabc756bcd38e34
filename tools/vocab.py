"""What a task needs of a model's own tokenizer: text to token ids with character offsets, and back.

`TokenizerVocab` wraps a fast Hugging Face tokenizer. Special tokens are never added here: whether a BOS
stands in front is decided by the task and recorded in the prompts (`to_tokens` of TransformerLens prepends
one even where the tokenizer does not). A model without a tokenizer has no Vocab; only tasks in token ids run
on it.
"""

from typing import Any, NamedTuple, Protocol

from tools.errors import ExperimentError


class Encoded(NamedTuple):
    """Token ids of a text, and for each the character offset where it ends."""

    ids: list[int]
    ends: list[int]


class Vocab(Protocol):
    """A tokenizer as tasks see it."""

    @property
    def bos(self) -> int | None:
        """The id of the beginning-of-sequence token, if the tokenizer has one."""
        ...

    @property
    def adds_bos(self) -> bool:
        """Whether the tokenizer itself puts the BOS in front of a text."""
        ...

    @property
    def size(self) -> int:
        """How many token ids there are."""
        ...

    def encode(self, text: str) -> Encoded:
        """Ids without special tokens."""
        ...

    def text(self, token: int) -> str:
        """The text of one token."""
        ...


class TokenizerVocab:
    """A Vocab over a fast Hugging Face tokenizer. Raises ExperimentError for a slow one (it has no offsets)."""

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise ExperimentError(
                f"{type(tokenizer).__name__} gives no character offsets; load the model with its fast tokenizer."
            )
        self._tokenizer = tokenizer

    @property
    def bos(self) -> int | None:
        return self._tokenizer.bos_token_id

    @property
    def adds_bos(self) -> bool:
        ids = self._tokenizer("a")["input_ids"]
        return self.bos is not None and len(ids) > 0 and ids[0] == self.bos

    @property
    def size(self) -> int:
        return len(self._tokenizer)

    def encode(self, text: str) -> Encoded:
        found = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return Encoded(list(found["input_ids"]), [end for _, end in found["offset_mapping"]])

    def text(self, token: int) -> str:
        return self._tokenizer.decode([token], clean_up_tokenization_spaces=False)


def ordinary_tokens(vocab: Vocab, *, letters: int = 3) -> list[int]:
    """Ids of ordinary word-like tokens: a space and at least `letters` ASCII letters, nothing else.

    Random sequences for head scores are made of these; bytes, digits, code and special tokens behave
    differently.
    """
    found = []
    for token in range(vocab.size):
        text = vocab.text(token)
        if text.startswith(" ") and len(text) > letters and text[1:].isascii() and text[1:].isalpha():
            found.append(token)
    return found


def single_token(vocab: Vocab, text: str) -> int | None:
    """The one token that spells `text`, or None when it takes several (or none)."""
    ids = vocab.encode(text).ids
    return ids[0] if len(ids) == 1 else None
