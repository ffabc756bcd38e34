"""What the question of an investigation names: its task, and that it is about the model under study.

Method: the patterns of the claim parser. A question about another model is refused, because an answer would be about
this one; a question that names no task means the default. What the question asks beyond that is for the report.
"""

import re
from collections.abc import Sequence

from agent.claim_parser_mentions import read_sentence
from agent.claim_parser_task import known_tasks, task_of
from agent.claim_parser_words import OTHER_MODEL
from agent.errors import ClaimError

_NONE = "no task"
_DONE = re.compile(
    r"\b(?:do|does|doing|perform|solve|compute|for)\s+(?:the\s+)?(?P<en>[a-z][\w-]*)(?:\s+task)?$"
    r"|(?P<ko>[\w-]+?)(?:을|를)\s*어떻게"
)
_VAGUE = {
    "it",
    "its",
    "this",
    "that",
    "so",
    "task",
    "these",
    "those",
    "all",
    "things",
    "과제",
    "작업",
    "이것",
    "그것",
    "일",
    "이걸",
    "그걸",
}
_PACKAGED = re.compile(r"\b(smollm[\w.-]*)", re.IGNORECASE)


def asked_task(question: str, *, model: str, default: str, tasks: Sequence[str] | None) -> str:
    """The task that a question about `model` names, or `default`. `tasks` are those that exist, None when not known yet.

    Raises ClaimError when it names a task that does not exist (with those that do), or another model.
    """
    sentence = read_sentence(question)
    named = OTHER_MODEL.search(sentence.marked) or _PACKAGED.search(sentence.marked)
    if named and _letters(named[1]) not in _letters(model):
        raise ClaimError(
            f"The question is about {named[1]}, but the model under study is {model}. Leave the name out to investigate "
            f"{model}, or choose that model with --model."
        )
    known = known_tasks() if tasks is None else tasks
    found = task_of(sentence, _NONE, [*known, default], strict=False)
    if found != _NONE:
        return found
    if (done := _DONE.search(sentence.marked.strip(" ?？.!。"))) and (word := done["en"] or done["ko"]) not in _VAGUE:
        raise ClaimError(f"No task is called {word!r}. Tasks here: {', '.join(sorted({*known, default}))}.")
    return default


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
