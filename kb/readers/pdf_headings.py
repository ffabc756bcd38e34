"""Which lines of a PDF paper are section titles.

Well-known titles ("Abstract", "Related Work"), numbered ones (2.1, IV., B.2, §3) that are larger than the text, bold or mostly
capitalised, the like in Korean papers, and unnumbered ones that are larger than the text and begin at the edge of their column. Numbers must go on
from the section before: "7 Apples" after section 3 is a row of a table or an item of a list. This module does not know of pages.
"""

import re

_NUMBERED = re.compile(
    r"^(?:§\s?|제\s?)?(?P<number>\d{1,2}(?:\.\d{1,2}){0,3}|[A-H](?:\.\d{1,2}){0,2}|[IVX]{1,5}|[Ⅰ-Ⅻ])(?P<dot>\.?)\s?(?:장|절)?\s+"
    r"(?P<title>[A-Z가-힣][^.!?]{1,70})(?<![-,;:])$"
)
_KNOWN = re.compile(
    r"^(?:(?:\d{1,2}|[IVX]{1,4})?\.?\s*(?:Abstract|Introduction|Background|Related Work|Preliminaries|Methods?|Methodology|Experiments?"
    r"|Results?|Discussion|Limitations?|Conclusions?|Acknowledge?ments?|References|Bibliography|Appendix"
    r"|(?:국문\s?)?(?:요\s?약|초\s?록)|서\s?론|관련\s?연구|연구\s?방법|실\s?험(?:\s?결과)?|논\s?의|결\s?론|참\s?고\s?문\s?헌|부\s?록))$",
    re.IGNORECASE,
)
LARGER = 1.12  # times the height of the running text
STEP = 2  # sections that may have been missed between two that were seen


class Headings:
    """Recognises section titles in reading order. `body` is the height of the running text."""

    def __init__(self, body: float) -> None:
        self.body = body
        self.section = 0
        self.begun = False  # whether a section has been seen: before it stand title, authors and their places

    def is_heading(self, words: str, height: float, *, at_edge: bool, bold: bool = False) -> bool:
        """Whether the next line is a section title."""
        found = _NUMBERED.match(words)
        if found and self._looks_like_one(found, height, bold=bold):
            self._go_on(found["number"])
            return True
        small = height < 0.97 * self.body and not words.isupper() and not words.casefold().startswith("abstract")
        if _KNOWN.match(words) and not small:
            self.begun = True
            return True
        return self.begun and at_edge and height > LARGER * self.body and _is_title(words)

    def _looks_like_one(self, found: re.Match[str], height: float, *, bold: bool) -> bool:
        number, title = found["number"], found["title"]
        if re.match("[가-힣]", title):
            return self._follows(number) and height > 0.97 * self.body and len(title) < 30 and not title.endswith("다")
        if number >= "Ⅰ":
            return height > 0.97 * self.body
        roman = not number[0].isdigit() and number not in "ABCDEFGH" and "." not in number
        if roman and not (found["dot"] and title.isupper()):
            return False
        if not self._follows(number):
            return False
        if bold and number[0].isdigit() and height > 0.97 * self.body:
            return True
        long = [word for word in title.split() if len(word) > 3]
        capital = sum(word[0].isupper() for word in long)
        if not self.begun and not _KNOWN.match(title) and height < LARGER * self.body:  # "1 Institute of Examples"
            return False
        if title.isupper() and len(title) > 5:  # small capitals are small
            return height > 0.7 * self.body
        large = number[0].isdigit() and height > 1.15 * self.body
        return height > 0.97 * self.body and len(long) > 0 and (2 * capital > len(long) or large)

    def _follows(self, number: str) -> bool:
        if not number[0].isdigit():
            return True
        section = int(number.partition(".")[0])
        return self.section - 1 <= section <= self.section + STEP or ("." not in number and section == 1)

    def _go_on(self, number: str) -> None:
        self.begun = True
        if number[0].isdigit():
            self.section = max(self.section, int(number.partition(".")[0]))


def _is_title(words: str) -> bool:
    """At most nine words that begin with a capital and are no sentence, formula or label."""
    parts = words.split()
    letters = sum(character.isalpha() or character.isspace() for character in words)
    return (
        len(parts) <= 9
        and words[0].isupper()
        and len(words) > 4
        and words[-1] not in ".,;:-"
        and not re.search(r"[.!?]\s|https?:", words)
        and letters > 0.85 * len(words)
        and any(len(part) > 3 for part in parts)
    )
