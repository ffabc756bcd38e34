"""Makes Markdown that somebody else wrote (an llm, a note, a paper) safe to hand to the browser.

An image would be loaded from wherever it points, and so leak what was put into its address: images become links,
which load nothing until clicked. Coloured text and badges are this product's own voice (a verdict is a badge), so
foreign text cannot use them. HTML is never rendered. `plain` goes further: nothing in the text is Markdown any more.
"""

import re

_JOINER = "\u2060"  # zero width: splits what would be read as one sign
_IMAGE = re.compile(r"!(?=\[)")
_DIRECTIVE = re.compile(r":(?=[A-Za-z][A-Za-z-]*\[)|:(?=material/)|:(?=streamlit:)")
_LINK_TARGET = re.compile(r"\]\(\s*<?(?!(?:https?:|mailto:|#))[A-Za-z][A-Za-z0-9+.-]*:[^)]*\)", re.IGNORECASE)
_REFERENCE_TARGET = re.compile(
    r"^(\s{0,3}\[[^\]]+\]:\s*)<?(?!https?:|mailto:|#)[A-Za-z][A-Za-z0-9+.-]*:\S*", re.MULTILINE | re.IGNORECASE
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:-])")
_LEADING_NUMBER = re.compile(r"^(\s*\d+)([.)])", re.MULTILINE)


def safe(markdown: str) -> str:
    """The same Markdown without images, foreign badges and links that are not web addresses."""
    text = _IMAGE.sub("!" + _JOINER, markdown)
    text = _DIRECTIVE.sub(":" + _JOINER, text)
    text = _REFERENCE_TARGET.sub(r"\1#", text)
    return _LINK_TARGET.sub("](#)", text)


def plain(text: str) -> str:
    """Text that Markdown shows exactly as it is, in one paragraph for each line."""
    return _LEADING_NUMBER.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", text))


def highlighted(text: str, quote: str) -> str:
    """`text` shown exactly as it is, with the first occurrence of `quote` on a coloured ground.

    Line breaks inside the quote become spaces, because a coloured ground cannot span paragraphs. A quote that does
    not occur, or is empty, marks nothing.
    """
    start = text.find(quote) if quote else -1
    if start < 0:
        return plain(text)
    marked = plain(" ".join(quote.split()))
    return f"{plain(text[:start])}:orange-background[{marked}]{plain(text[start + len(quote) :])}"
