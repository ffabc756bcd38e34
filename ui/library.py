"""The library as the app and the command line read it: opened once for the process, without torch."""

from functools import lru_cache

from agent.library import open_library as open_at
from kb.errors import UnknownNameError
from kb.library import Library
from kb.records import Passage
from ui.settings import load


@lru_cache(maxsize=1)
def open_library() -> Library:
    """The library of the configured data folder."""
    return open_at(load())


def find_passage(passage_id: str) -> Passage | None:
    """The passage of that id, None when the library does not hold it any more."""
    try:
        return open_library().passage(passage_id)
    except UnknownNameError:
        return None
