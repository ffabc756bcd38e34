"""What the library says about a question's task: passages, and the published mechanism as roles and connections.

A published mechanism names heads of another model; what can be carried over is its roles and who feeds whom, through
which input (METHOD T10: by role, never by index). The accounts below hold that structure by the id of the note that
it is read from; the sentences and their places come from the library, verbatim. An account is a source of hypotheses
about this model and is evidence for nothing.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agent.answer import Citation
from kb.library import Library
from kb.records import Passage
from kb.text import sentences

Role = str
MAX_QUOTE = 320
MOST_PASSAGES = 6


class LiteratureModel(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(LiteratureModel):
    """`source` feeds `target` through its query, key or value."""

    source: Role
    target: Role
    channel: str
    says: str


class Account(LiteratureModel):
    """A published mechanism by role; the words after a role find the sentence about it in the note."""

    document_id: str
    roles: dict[Role, tuple[str, ...]]
    links: tuple[Link, ...]


ACCOUNTS: tuple[Account, ...] = (
    Account(
        document_id="ioi-wang-2022",
        roles={
            "previous-token": ("previous token",),
            "duplicate-token": ("duplicate token", "detect the repeated name"),
            "induction": ("induction `", "induction"),
            "s-inhibition": ("S-inhibition", "inhibit attention"),
            "name-mover": ("Name movers", "name movers"),
            "negative-name-mover": ("Negative movers", "negative name movers"),
        },
        links=(
            Link(source="previous-token", target="induction", channel="k", says="previous-token heads feed induction"),
            Link(
                source="duplicate-token",
                target="s-inhibition",
                channel="v",
                says="duplicate-token heads tell S-inhibition heads which name is repeated",
            ),
            Link(
                source="induction",
                target="s-inhibition",
                channel="v",
                says="induction heads tell S-inhibition heads which name is repeated",
            ),
            Link(
                source="s-inhibition",
                target="name-mover",
                channel="q",
                says="S-inhibition heads steer the name movers' queries away from the repeated name",
            ),
            Link(
                source="s-inhibition",
                target="negative-name-mover",
                channel="q",
                says="S-inhibition heads steer the negative name movers' queries too",
            ),
        ),
    ),
    Account(
        document_id="induction-heads-olsson-2022",
        roles={
            "previous-token": ("position after its earlier occurrence",),
            "induction": ("attends from a token to the position after", "Ablating induction heads"),
        },
        links=(
            Link(
                source="previous-token",
                target="induction",
                channel="k",
                says="previous-token heads write what induction heads match with their keys",
            ),
        ),
    ),
)


class RoleSource(LiteratureModel):
    """A role that a document describes, with the sentence that does."""

    role: Role
    citation: Citation


class DocumentSays(LiteratureModel):
    """One published mechanism as the library holds it."""

    document_id: str
    title: str
    models: tuple[str, ...] = ()
    roles: tuple[RoleSource, ...] = ()
    links: tuple[Link, ...] = ()

    def citation(self, role: Role) -> Citation | None:
        """The sentence about a role."""
        return next((source.citation for source in self.roles if source.role == role), None)


class Literature(LiteratureModel):
    """What the library holds on the question: published mechanisms, and the passages nearest to the question."""

    documents: tuple[DocumentSays, ...] = ()
    passages: tuple[Citation, ...] = ()
    remark: str = ""

    def citations(self) -> list[Citation]:
        """Every passage once: sentences of the mechanisms first, then those nearest to the question."""
        found = [source.citation for document in self.documents for source in document.roles]
        unique = {(c.passage_id, c.start, c.end): c for c in [*found, *self.passages]}
        return list(unique.values())


def task_literature(task: str) -> tuple[str, ...]:
    """Ids of the notes that a task is taken from. Raises ExperimentError when no task has that name."""
    from tools.tasks import find_task  # reads task files; only where experiments run

    return tuple(find_task(task).info.literature)


def read_literature(question: str, document_ids: Sequence[str], library: Library | None) -> Literature:
    """Look the question and the task's own sources up. A library that does not say is a remark, no error.

    Findings of earlier investigations are left out: the literature is what others wrote.
    """
    if library is None:
        return Literature(remark="no library was at hand, so no literature was read")
    written = [hit for hit in library.search(question, limit=10) if hit.kind != "finding"][:MOST_PASSAGES]
    passages = tuple(_opening(library.passage(hit.passage_id), hit.trust, hit.verification, hit.url) for hit in written)
    documents = [_document(account, library) for account in ACCOUNTS if account.document_id in document_ids]
    known = tuple(document for document in documents if document is not None)
    remark = "" if known or passages else "the library does not say anything about this question"
    return Literature(documents=known, passages=passages, remark=remark)


def _document(account: Account, library: Library) -> DocumentSays | None:
    if account.document_id not in {line.id for line in library.documents()}:
        return None
    document = library.document(account.document_id)
    passages = library.passages(document.id)
    roles = []
    for role, words in account.roles.items():
        citation = _sentence_about(words, passages, document.trust, document.verification, document.url)
        if citation is not None:
            roles.append(RoleSource(role=role, citation=citation))
    return DocumentSays(
        document_id=document.id,
        title=document.title,
        models=document.models,
        roles=tuple(roles),
        links=account.links,
    )


def _sentence_about(
    words: Sequence[str], passages: Sequence[Passage], trust: str | None, verification: str | None, url: str | None
) -> Citation | None:
    for word in words:
        for passage in passages:
            for start, end in sentences(passage.text):
                if word in passage.text[start:end]:
                    return _citation(passage, start, end, (trust, verification, url))
    return None


def _opening(passage: Passage, trust: str | None, verification: str | None, url: str | None) -> Citation:
    spans = sentences(passage.text) or [(0, len(passage.text))]
    return _citation(passage, *spans[0], (trust, verification, url))


def _citation(passage: Passage, start: int, end: int, about: tuple[str | None, str | None, str | None]) -> Citation:
    stop = min(end, start + MAX_QUOTE)
    trust, verification, url = about
    return Citation(
        passage_id=passage.id,
        document_id=passage.document_id,
        title=passage.title,
        start=start,
        end=stop,
        page=passage.page,
        quote=passage.text[start:stop],
        url=url,
        trust=trust,
        verification=verification,
    )
