"""`circuit-court library`: the library from the terminal, without a worker."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui import cli_library_study
from ui.cli_output import ProgressLine, json_option, print_json, say, table

if TYPE_CHECKING:
    from kb.records import Filters, Hit, IngestReport

JOB = 200  # files that are added in this process
EXCERPT = 280  # characters of a passage that a search shows
_ADDRESS = re.compile(r"(?:https?://|arxiv:|\d{4}\.\d{4,5}(?:v\d+)?$)", re.IGNORECASE)


@click.group()
def library() -> None:
    """Build, fill, search and read the library."""


@library.command("build")
@json_option
def build(as_json: bool) -> None:
    """Bring in the starter notes; what is there and unchanged stays as it is."""
    from ui.library import open_library

    line = ProgressLine()
    report = open_library().build_starter(progress=lambda n, total, item: line.show(item.source, n / total))
    line.clear()
    _print_report(report, as_json)


@library.command("add")
@click.argument("sources", nargs=-1, required=True)
@json_option
def add(sources: tuple[str, ...], as_json: bool) -> None:
    """Add notes, papers, whole folders (wikis), web addresses or arXiv ids to the library.

    A folder is followed: added again, changed notes are updated and deleted ones go. What cannot be read is named;
    the rest goes in. More than 200 files are a job of a worker. Addresses are fetched only when CIRCUIT_COURT_FETCH=true.
    """
    from kb.fetch import Fetcher
    from kb.records import IngestReport
    from ui.library import open_library
    from ui.settings import load

    line = ProgressLine()
    fetcher = Fetcher(allowed=load().fetch)
    items, problems = [], {}
    for source in sources:
        if is_address(source):
            line.show(f"fetching {source}")
            report = open_library().add_address(source, fetcher)
        elif len(open_library().sources(Path(source))[0]) > JOB:
            report = add_as_job(source, line)
        else:
            report = open_library().add(Path(source), progress=lambda n, total, item: line.show(item.source, n / total))
        items += report.items
        problems |= dict.fromkeys(report.problems)
    line.clear()
    _print_report(IngestReport(items=tuple(items), problems=tuple(problems)), as_json)


def add_as_job(source: str, line: ProgressLine) -> "IngestReport":
    """A large folder as a durable job of a worker: it goes on where it was when anything is killed; Ctrl-C cancels it."""
    from kb.records import IngestReport
    from ui.follow import follow
    from ui.session import court_with_worker

    with court_with_worker(line) as court:
        return IngestReport.model_validate(follow(court, court.add_to_library([source]), line).outcome)


def is_address(source: str) -> bool:
    """Whether a source names something to fetch; a file or folder of that name comes first."""
    return not Path(source).expanduser().exists() and bool(_ADDRESS.match(source.strip()))


def _print_report(report: "IngestReport", as_json: bool) -> None:
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    for item in report.items:
        if item.state == "failed":
            say(f"not read: {item.source}: {item.message}")
        for problem in item.problems:
            say(f"{item.source}: {problem}")
    for problem in report.problems:
        say(problem)
    states = ("added", "updated", "unchanged", "removed", "failed", "cancelled")
    counts = [f"{report.count(state)} {state}" for state in states if report.count(state)]
    click.echo(f"library: {', '.join(counts) or 'nothing to do'}")


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that limit a search or a listing."""
    for option in (
        click.option("--model", help="Only documents that study this model."),
        click.option("--language", type=click.Choice(["en", "ko"]), help="Only documents in this language."),
        click.option("--trust", type=click.Choice(["low", "medium", "high"]), help="Only documents trusted this far."),
        click.option(
            "--confidence",
            type=click.FloatRange(0, 1),
            help="Only documents that state this confidence or more, from 0 to 1.",
        ),
        click.option(
            "--kind", "kinds", multiple=True, help="Only this kind: note, concept, paper, article, reference."
        ),
        click.option("--tag", "tags", multiple=True, help="Only documents with this tag (all, when given again)."),
        click.option("--until", type=int, help="Only documents up to this year."),
        click.option("--since", type=int, help="Only documents from this year on."),
    ):
        command = option(command)
    return command


def chosen_filters(chosen: dict[str, Any]) -> "Filters | None":
    """The values of `filter_options`, by their names, as filters; None when nothing limits."""
    from kb.records import Filters

    if all(value is None or value == () for value in chosen.values()):
        return None
    if chosen["confidence"] is not None and math.isnan(chosen["confidence"]):
        raise click.UsageError("--confidence takes a number from 0 to 1.")
    return Filters(
        kinds=chosen["kinds"] or None,
        tags=chosen["tags"] or None,
        languages=(chosen["language"],) if chosen["language"] else None,
        min_trust=chosen["trust"],
        confidence=chosen["confidence"],
        model=chosen["model"],
        year_from=chosen["since"],
        year_to=chosen["until"],
    )


@library.command("search")
@click.argument("question")
@click.option("--limit", default=8, show_default=True, type=click.IntRange(1, 100), help="Most passages to print.")
@filter_options
@json_option
def search(question: str, limit: int, as_json: bool, **filters: Any) -> None:
    """Find passages that answer QUESTION, in English or Korean."""
    from ui.library import open_library

    found = open_library().search(question, limit=limit, filters=chosen_filters(filters))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for remark in found.remarks:
        say(remark)
    if found.declined:
        click.echo(found.sentence or "The library does not say.")
        for hit in found.nearest[:3]:
            click.echo(click.style(f"   nearest: {hit.title} ({hit.document_id})", dim=True))
        return
    for number, hit in enumerate(found.hits, start=1):
        _print_hit(number, hit)


def _print_hit(number: int, hit: "Hit") -> None:
    """A passage with where it stands; one that is shown in part says so, and how to read it whole."""
    confidence = None if hit.confidence is None else f"confidence {hit.confidence:.2f}"
    marks = ", ".join(part for part in (hit.trust, hit.verification, confidence) if part)
    heading = "" if hit.heading == hit.title else hit.heading.removeprefix(f"{hit.title} > ")
    parts = (click.style(f"{number}. {hit.title}", bold=True), heading, f"({marks})" if marks else "")
    click.echo("  ".join(part for part in parts if part))
    text = " ".join(hit.text.split())
    click.echo(f"   {text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(' ', 1)[0] + ' …'}")
    click.echo(click.style(f"   {hit.place}", dim=True))
    if len(text) > EXCERPT:
        whole = f"circuit-court library passage {hit.passage_id}"
        click.echo(click.style(f"   shortened; the whole passage: {whole}", dim=True))


@library.command("show")
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the document that NAME (an id, title or alias) leads to."""
    from ui.library import open_library

    document = open_library().document(name)
    if as_json:
        print_json(document.model_dump(mode="json"))
        return
    facts = {
        "id": document.id,
        "canonical": document.canonical_id if document.canonical_id != document.id else None,
        "trust": document.trust,
        "verification": document.verification,
        "confidence": None if document.confidence is None else f"{document.confidence:.2f}",
        "kind": document.kind,
        "year": document.year,
        "authors": ", ".join(document.authors),
        "address": document.url or (f"arXiv {document.arxiv}" if document.arxiv else None),
        "aliases": ", ".join(document.aliases),
        "tags": ", ".join(document.tags),
        "links to": ", ".join(document.links),
        "linked from": ", ".join(document.linked_from),
        "duplicates": ", ".join(document.duplicates),
        "same work": ", ".join(document.same_work),
        "source": document.source,
    }
    click.echo(click.style(document.title, bold=True))
    if document.redirected_from:
        say(f"{document.redirected_from} leads here: it is a duplicate of this note.")
    table(("", ""), [(key, value) for key, value in facts.items() if value])
    for problem in document.problems:
        say(problem)
    click.echo("\n" + document.text)


@library.command("list")
@filter_options
@json_option
def list_(as_json: bool, **filters: Any) -> None:
    """List the documents with their kind and trust."""
    from ui.library import open_library

    limits = chosen_filters(filters)
    found = open_library().documents(limits)
    if as_json:
        print_json([line.model_dump(mode="json") for line in found])
    elif not found and limits is not None:
        click.echo("No document passes these filters.")
    elif not found:
        click.echo("The library is empty. Bring in the starter notes: circuit-court library build")
    else:
        rows = [(line.id, line.kind, line.year or "", line.trust or "", line.title) for line in found]
        table(("id", "kind", "year", "trust", "title"), rows)


@library.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove the document with the id NAME; its file stays where it is."""
    from ui.library import open_library

    click.echo(f"library: {open_library().remove(name)} removed")


for study in ("summarise", "define", "claims", "passage", "evaluate", "compare", "disagreements", "export"):
    library.add_command(getattr(cli_library_study, study))
