"""Questions asked of the library, with all that `kb.answerable` and the cross-encoder are fitted on. Used by library_cross_encoder.py
and library_answerable.py.

Questions: the `fit` half of questions.jsonl and questions_fit.jsonl, asked of the starter notes as they are, and every fourth also of
notes without the questions that they carry, and without an embedder; and the questions that notes carry, asked of libraries whose notes
carry the other half of them or none. The latter are asked once more after their note and all that it names as related are removed: then
they count as unanswerable, which makes many questions in the field's own words that nothing answers. A question whose answer is not among
the first five documents is left out. Takes about ten minutes on two cores.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from kb.evaluate import Question, ask, read_questions
from kb.fusion import Weights, rank_documents
from kb.incoming import Incoming
from kb.library import Library
from kb.records import ItemReport
from kb.search import Searcher

HERE = Path(__file__).parent
STARTER = HERE.parent / "kb" / "starter"
SAMPLE = 6  # questions of a note that are asked in one setting
FEWER = 4  # one question in so many is asked in the settings that are rarer
REAL, MADE, UNEMBEDDED = (
    4.0,
    1.0,
    0.5,
)  # weights of a question: of the question files, of the notes, asked without an embedder


@dataclass(frozen=True)
class Row:
    """One asked question. Rows of one `group` are held out together; `asked` and `passages` (document, text) are what a cross-encoder
    would read, `keys` the documents that answer."""

    group: str
    setting: str
    keys: list[str]
    weight: float
    units: list[list[float]]
    whole: list[float]
    question: str
    asked: str
    passages: list[list[str]]
    sort: str

    @property
    def answerable(self) -> bool:
        return bool(self.keys)


def rows(folder: Path, embedder: Path) -> list[Row]:
    """All rows; `folder` keeps what was collected."""
    kept = folder / "rows.jsonl"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(vars(entry), ensure_ascii=False) + "\n" for entry in _collect(folder, embedder) if entry]
        kept.write_text("".join(lines), encoding="utf-8")
    return [Row(**json.loads(line)) for line in kept.read_text(encoding="utf-8").splitlines()]


def _row(searcher: Searcher, question: Question, group: str, setting: str, weight: float) -> Row | None:
    """What the library gathers for a question; None where it does not find the answer."""
    gathered, keys, evidence = ask(searcher, question)
    with searcher.store.read() as connection:
        canonical = searcher.names(connection).canonical
    first = {document for document, _, _ in rank_documents(gathered, searcher.weights, canonical)[:5]}
    if not evidence.units or (keys and not keys & first):
        return None
    units = [list(signals) for _, signals in evidence.units]
    passages = [list(passage) for passage in evidence.passages]
    return Row(
        group,
        setting,
        sorted(keys),
        weight,
        units,
        list(evidence.whole),
        question.q,
        evidence.asked,
        passages,
        question.sort,
    )


def _collect(folder: Path, embedder: Path) -> Iterator[Row | None]:
    asked: dict[str, list[str]] = yaml.load(
        (STARTER / "asked.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    questions = [q for q in read_questions(HERE / "questions.jsonl") if q.half == "fit"]
    questions += read_questions(HERE / "questions_fit.jsonl")
    fewer = random.Random(0).sample(questions, len(questions) // FEWER)
    settings = {
        "full": (embedder, lambda carried: carried, questions, REAL),
        "bare": (embedder, lambda carried: (), fewer, REAL),
        "no embedder": (None, lambda carried: carried, fewer, UNEMBEDDED),
        "even": (embedder, lambda carried: carried[::2], [], REAL),
        "odd": (embedder, lambda carried: carried[1::2], [], REAL),
    }
    rest = {"even": lambda own: _some(own[1::2]), "odd": lambda own: _some(own[::2]), "bare": _some}
    for setting, (embedder_folder, keep, some, weight) in settings.items():
        with _carrying(folder / setting, embedder_folder, keep) as library:
            searcher = library.searcher(Weights())
            for question in some:
                yield _row(searcher, question, question.q, setting, weight)
            for key, own in asked.items() if setting in rest else ():
                for text in rest[setting](own):
                    yield _row(searcher, Question(q=text, keys=(key,)), key, f"{setting} made", MADE)
        print(f"{setting} asked", flush=True)
        if setting in rest:
            yield from _bereft(folder / setting, embedder, {key: rest[setting](own) for key, own in asked.items()})
            print(f"{setting} asked without the answer", flush=True)


def _carrying(folder: Path, embedder: Path | None, keep: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Library:
    """The starter notes in a folder, each with some of the questions that it carries; no cross-encoder reads them."""
    library = Library.open(folder, embedder_folder=embedder)
    library.cross_encoder = None
    put = library.ingest.put

    def put_some(document: Incoming) -> ItemReport:
        kept = keep(document.questions)
        return put(replace(document, questions=kept, front={**document.front, "questions": list(kept)}))

    library.ingest.put = put_some
    library.build_starter()
    return library


def _bereft(folder: Path, embedder: Path, asked: dict[str, list[str]]) -> Iterator[Row | None]:
    """Each note's questions, asked of the library without the note and those related to it."""
    related = _relations()
    for key, own in asked.items():
        copy = folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        with Library.open(copy, embedder_folder=embedder) as library:
            library.cross_encoder = None
            for gone in {key, *related.get(key, ())}:
                library.store.remove(gone)
            searcher = library.searcher(Weights())
            for text in own:
                yield _row(searcher, Question(q=text), key, f"{folder.name} made", MADE)


def _relations() -> dict[str, set[str]]:
    """For each note the notes that it names as related, and that name it."""
    facts = yaml.load((STARTER / "facts.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    found: dict[str, set[str]] = {entry["key"]: set() for entry in facts}
    for entry in facts:
        for other in entry.get("related", ()):
            if other in found:
                found[entry["key"]].add(other)
                found[other].add(entry["key"])
    return found


def _some(own: list[str]) -> list[str]:
    return random.Random(own[0]).sample(own, min(SAMPLE, len(own)))
