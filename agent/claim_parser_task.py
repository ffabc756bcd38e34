"""Which task a sentence is about: the one it names ("for IOI", "in the greater-than task"), or the default.

A name that looks like a task and is none is refused with the list of tasks; guessing would try another claim.
"""

import difflib
import re
from collections.abc import Sequence
from importlib.resources import files

from agent.claim_parser_mentions import Sentence
from agent.errors import ClaimError


def known_tasks() -> list[str]:
    """Names of the tasks that come with the program, which are those of their files: `tools.tasks` brings torch along."""
    return sorted(file.name.removesuffix(".yaml") for file in (files("tools") / "task_files").iterdir())


_TASK_AFTER = re.compile(
    r"\b(?:for|on|in|restores?|improves?|hurts?|harms?|breaks?|to|does)\s+(?:the\s+)?(?P<task>[a-z][\w-]*(?:\s+task)?)\s*$"
)
_TASK_FOR = re.compile(r"\bfor\s+(?:the\s+|any\s+|every\s+|its\s+)?(?P<task>[a-z][\w-]*)")
_TASK_KO = re.compile(
    r"(?P<task>[\w-]+)\s*(?:과제|작업|태스크)?에(?:는|서|만)?\s*(?:꼭\s*|매우\s*|가장\s*)?(?:필요|중요|기여|필수|핵심|관여)"
)
_NO_TASK = {
    *(
        "it",
        "this",
        "that",
        "output",
        "outputs",
        "answer",
        "answers",
        "model",
        "task",
        "behaviour",
        "behavior",
        "network",
    ),
    *(
        "computation",
        "circuit",
        "general",
        "them",
        "performance",
        "prediction",
        "predictions",
        "logits",
        "nothing",
        "all",
    ),
    *(
        "work",
        "important",
        "key",
        "necessary",
        "matter",
        "these",
        "data",
        "everything",
        "모델",
        "이",
        "그",
        "출력",
        "답",
        "작업",
    ),
    *("more", "less", "slightly", "much", "strongly", "together", "together", "clean", "removal", "itself", "once"),
}


def task_of(sentence: Sentence, default: str, tasks: Sequence[str], *, strict: bool = True) -> str:
    """The task that the sentence names ("for ..." first), or `default`.

    Raises ClaimError listing the tasks when it names an unknown one; not `strict`, only known names are looked for.
    """
    known = {name.lower(): name for name in [*tasks, default]}
    for before in (r"(?:\bfor|\bon|\bin)\s+(?:the\s+)?", r"(?<![a-z0-9-])"):
        for lowered in sorted(known, key=len, reverse=True):
            spelled = r"[\s_-]".join(re.escape(part) for part in re.split(r"[\s_-]", lowered))
            if re.search(rf"{before}{spelled}(?![a-z0-9-]|\s+heads?\b|\s*⟦)", sentence.marked):
                return known[lowered]
    if re.search(r"indirect[ -]object|간접\s*목적어", sentence.marked) and "ioi" in known:
        return known["ioi"]
    if not strict or not (name := _unknown_task(sentence.marked)):
        return default
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}? " if near else ""
    raise ClaimError(f"No task is called {name!r}; {hint}Tasks here: {', '.join(sorted(known))}.")


def _unknown_task(marked: str) -> str:
    """The word that stands where a task is named; empty when it is an ordinary word ("for the model's answers")."""
    if (aim := _TASK_FOR.search(marked)) and aim["task"] not in _NO_TASK:
        return aim["task"]
    found = _TASK_AFTER.search(marked) or _TASK_KO.search(marked)
    name = found["task"].removesuffix(" task").strip() if found else ""
    return "" if name in _NO_TASK or re.fullmatch(r"\w+(?:ly|ing|ed)", name) else name
