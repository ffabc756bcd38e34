"""A wiki note's Markdown as the app shows it: safe, with Obsidian's links and callouts in plain Markdown.

`[[id]]`, `[[id|words]]` and `[[id#part]]` become links to the note in this app (its title is the text unless words are
given); a link to a note that the library does not hold stays as words. `> [!kind] title` becomes a bold first line of
its quotation. A first heading that repeats the title is left out, since the page shows the title itself.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from ui.safe_markdown import plain, safe

_LINK = re.compile(
    r"\[\[(?P<target>[^\]|#\n]+)(?:#[^\]|\n]*)?(?:\|(?P<words>[^\]\n]+))?\]\](?::[ \t]+(?P<after>[^\n]+)$)?",
    re.MULTILINE,
)
_RULE = re.compile(r"^\|[\s|:-]+\|?\s*$")
_ROW = re.compile(r"^\|(?P<cells>.*\|.*)$")
_CALLOUT = re.compile(r"^>\s*\[!(?P<kind>\w+)\][+-]?[ \t]*(?P<title>[^\n]*)$", re.MULTILINE)


def loose_rows(text: str) -> str:
    """Rows of a table whose head stands in another passage, as list items: without a head they are no table."""
    lines = text.split("\n")
    if any(_RULE.match(line) for line in lines):
        return text
    return "\n".join(_ROW.sub(_as_item, line) for line in lines)


def _as_item(row: re.Match[str]) -> str:
    cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", row["cells"]))
    return "- " + " · ".join(cell for cell in cells if cell)


def note_markdown(text: str, title: str, titles: Mapping[str, str]) -> str:
    """Markdown that is safe to show. `titles` maps the ids of notes to their titles."""
    first, _, rest = text.lstrip().partition("\n")
    body = rest if first.startswith("# ") and first[2:].strip() == title else text

    def link(match: re.Match[str]) -> str:
        target = match["target"].strip()
        words = plain((match["words"] or titles.get(target) or target).strip())
        shown = f"[{words}](/library?note={quote(target)})" if target in titles else words
        after = match["after"] or ""
        again = not match["words"] and after.strip() in (titles.get(target), safe(titles.get(target, "")), words)
        return shown if again or not after else f"{shown}: {_LINK.sub(link, after)}"

    def callout(match: re.Match[str]) -> str:
        return f"> **{plain(match['title'].strip() or match['kind'].capitalize())}**  "

    return _LINK.sub(link, _CALLOUT.sub(callout, safe(body)))
