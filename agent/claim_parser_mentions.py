"""Finds the components that a sentence names, in any spelling of `tools/component.py`, English or Korean.

Each mention is replaced by a mark (⟦0⟧, ⟦1⟧, ...), so that the patterns that decide what is claimed read words
only. Decimal numbers in the role of quantities ("at least 0.5", "30.5 %") are no mentions. This module knows
spellings; whether a model has the component is asked elsewhere.
"""

import re
import unicodedata
from dataclasses import dataclass

from tools.component import Component, parse_component

_NOT_QUANTITY = r"(?<![\d.])(?<!least\s)(?<!most\s)(?<!about\s)(?<!by\s)(?<![=<>≥≤~$]\s)(?<![=<>≥≤~$])"
_AT = r"(?:\s*@\s*[A-Za-z][A-Za-z0-9_+-]*)?"
_SPELLINGS: list[tuple[str, str]] = [
    (r"blocks\.(\d+)\.attn\.hook_(?:z|result|q|pattern)\[(\d+)\]", "a{0}.h{1}"),
    (r"blocks\.(\d+)\.(?:hook_mlp_out|mlp\.hook_out)", "m{0}"),
    (r"blocks\.(\d+)\.hook_resid_pre", "resid{0}"),
    (r"\b(?:neuron\s+(\d+)\s+(?:of|in)\s+(?:the\s+)?mlp\s*(\d+))", "m{1}.n{0}"),
    (r"\bm(\d+)\s*\.?\s*n(\d+)(?![A-Za-z0-9_])", "m{0}.n{1}"),
    (r"\bmlp\s*(\d+)\s*(?:,\s*)?neuron\s*(\d+)(?![A-Za-z0-9_])", "m{0}.n{1}"),
    (r"\bf(?:eature\s*)?(\d+)\s*:\s*(\d+)", "f{0}:{1}"),
    (r"\ba(\d+)\s*\.\s*h(\d+)", "a{0}.h{1}"),
    (r"\b(?:attention\s+)?head\s*(\d+)\s+(?:of|in|at)\s+(?:the\s+)?layer\s*(\d+)", "a{1}.h{0}"),
    (r"\blayer\s*(\d+)\s*[.,]?\s*(?:attention\s+)?head\s*(\d+)", "a{0}.h{1}"),
    (r"\bl(\d+)\s*[.,]?\s*h(\d+)(?![A-Za-z0-9_])", "a{0}.h{1}"),
    (r"(?:레이어|층)\s*(\d+)\s*(?:번)?\s*의?\s*(?:어텐션\s*)?헤드\s*(\d+)\s*(?:번)?", "a{0}.h{1}"),
    (r"(\d+)\s*(?:번\s*)?(?:층|레이어)\s*의?\s*(?:어텐션\s*)?(\d+)\s*(?:번\s*)?(?:째\s*)?헤드", "a{0}.h{1}"),
    (r"(\d+)\s*(?:번\s*)?(?:층|레이어)\s*의?\s*(?:어텐션\s*)?헤드\s*(\d+)\s*(?:번)?", "a{0}.h{1}"),
    (r"\b(?:attention\s+)?heads?\s*#?\s*(\d+)\s*\.\s*h?(\d+)(?!\.?\d)", "a{0}.h{1}"),
    (r"(?:어텐션\s*)?헤드\s*(\d+)\s*\.\s*(\d+)(?!\.?\d)", "a{0}.h{1}"),
    (r"(\d+)\.(\d+)\s*(?:번\s*)?헤드", "a{0}.h{1}"),
    (r"(?<![A-Za-z])(?:mlp|m)\s*(?:layer\s*)?(\d+)(?!\s*[.:]\s*\d)(?![A-Za-z0-9_-])", "m{0}"),
    (r"\b(?:l|layer\s*)(\d+)(?:'s)?\s*mlp\b", "m{0}"),
    (r"\bmlp\s+(?:of|in|at)\s+(?:the\s+)?layer\s*(\d+)", "m{0}"),
    (r"(?:레이어|층)\s*(\d+)\s*의?\s*mlp", "m{0}"),
    (r"(\d+)\s*(?:번\s*)?(?:층|레이어)\s*의?\s*mlp", "m{0}"),
    (r"\bresid(?:ual)?(?:\s*stream)?\s*(?:at\s+|in\s+|of\s+|entering\s+)?(?:layer\s*)?(\d+)", "resid{0}"),
    (r"\b(?:attn|attention)\s*layer\s*(\d+)(?!\s*[.,]?\s*(?:attention\s+)?head)", "a{0}"),
    (_NOT_QUANTITY + r"(\d{1,3})\.h?(\d{1,3})(?![\d.]*\d)(?!\s*(?:%|percent|nat|logit|of\b|퍼센트))", "a{0}.h{1}"),
    (r"(?:the\s+)?position(?:al)?\s+embeddings?", "pos_embed"),
    (r"위치\s*임베딩", "pos_embed"),
]
_PATTERN = re.compile(
    "|".join(f"(?P<s{i}>{re.sub(r'[(](?![?])', '(', text)}){_AT}" for i, (text, _) in enumerate(_SPELLINGS)),
    re.IGNORECASE,
)
_WHERE = re.compile(r"@\s*([A-Za-z][A-Za-z0-9_+-]*)\s*$")
POSITIONAL = "pos_embed"


@dataclass(frozen=True)
class Mention:
    """A component as the sentence names it; `name` is the printed form or `pos_embed`."""

    name: str
    start: int
    end: int

    @property
    def component(self) -> Component | None:
        """The component; None for the positional embedding."""
        return None if self.name == POSITIONAL else parse_component(self.name)


@dataclass(frozen=True)
class Sentence:
    """A sentence with its mentions marked. `marked` is lower case, with ⟦i⟧ for the i-th mention."""

    said: str
    marked: str
    mentions: tuple[Mention, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Printed names of the mentions, each once, in order."""
        return tuple(dict.fromkeys(mention.name for mention in self.mentions))


def read_sentence(text: str) -> Sentence:
    """Mark every component that the sentence names."""
    said = " ".join(unicodedata.normalize("NFC", text).split())
    mentions: list[Mention] = []
    marked, after = "", 0
    for found in _PATTERN.finditer(said):
        mention = Mention(_name(found), found.start(), found.end())
        marked += said[after : found.start()] + f"⟦{len(mentions)}⟧"
        mentions.append(mention)
        after = found.end()
    return Sentence(said, (marked + said[after:]).lower().strip(" .!?。？"), tuple(mentions))


def _name(found: re.Match[str]) -> str:
    index = next(i for i in range(len(_SPELLINGS)) if found.group(f"s{i}") is not None)
    spelled = found.group(f"s{index}")
    inner = re.match(_SPELLINGS[index][0].replace(_NOT_QUANTITY, ""), spelled, re.IGNORECASE)
    assert inner is not None, spelled
    name = _SPELLINGS[index][1].format(*inner.groups())
    where = _WHERE.search(found.group(0))
    return f"{name}@{where[1].upper()}" if where and name != POSITIONAL else name
