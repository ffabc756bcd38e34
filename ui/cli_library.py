"""`circuit-court library`: the library from the terminal, without a worker."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ui.cli_output import ProgressLine, json_option, print_json, say, table

if TYPE_CHECKING:
    from kb.records import IngestReport


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
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def add(paths: tuple[Path, ...], as_json: bool) -> None:
    """Add notes, papers or whole folders (wikis) to the library.

    A folder is followed: added again, changed notes are updated and deleted ones go. What cannot be read is named;
    the rest goes in.
    """
    from kb.records import IngestReport
    from ui.library import open_library

    line = ProgressLine()
    items, problems = [], {}
    for path in paths:
        report = open_library().add(path, progress=lambda n, total, item: line.show(item.source, n / total))
        items += report.items
        problems |= dict.fromkeys(report.problems)
    line.clear()
    _print_report(IngestReport(items=tuple(items), problems=tuple(problems)), as_json)


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


@library.command("search")
@click.argument("question")
@click.option("--limit", default=8, show_default=True, type=click.IntRange(1, 100), help="Most passages to print.")
@json_option
def search(question: str, limit: int, as_json: bool) -> None:
    """Find passages that answer QUESTION, in English or Korean."""
    from ui.library import open_library

    found = open_library().search(question, limit=limit)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    for remark in found.remarks:
        say(remark)
    if found.declined:
        click.echo(found.sentence or "The library does not say.")
        return
    for number, hit in enumerate(found.hits, start=1):
        place = f", page {hit.page}" if hit.page else ""
        trust = ", ".join(part for part in (hit.trust, hit.verification) if part)
        click.echo(click.style(f"{number}. {hit.title}", bold=True) + f"  {hit.heading}{place}  ({trust})")
        click.echo(f"   {' '.join(hit.text.split())[:280]}")
        click.echo(click.style(f"   {hit.document_id}, characters {hit.start} to {hit.end}", dim=True))


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
        "aliases": ", ".join(document.aliases),
        "tags": ", ".join(document.tags),
    }
    click.echo(click.style(document.title, bold=True))
    table(("", ""), [(key, value) for key, value in facts.items() if value])
    for problem in document.problems:
        say(problem)
    click.echo("\n" + document.text)


@library.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every document with its kind and trust."""
    from ui.library import open_library

    found = open_library().documents()
    if as_json:
        print_json([line.model_dump(mode="json") for line in found])
    elif not found:
        click.echo("The library is empty. Bring in the starter notes: circuit-court library build")
    else:
        rows = [(line.id, line.kind, line.year or "", line.trust or "", line.title) for line in found]
        table(("id", "kind", "year", "trust", "title"), rows)


@library.command("claims")
@click.option("--model", help="Only claims about this model.")
@click.option("--component", help="Only claims about this component.")
@click.option("--task", help="Only claims about this task.")
@json_option
def claims(model: str | None, component: str | None, task: str | None, as_json: bool) -> None:
    """List the literature's claims that can be tested here."""
    from ui.library import open_library

    found = open_library().claims(model=model, component=component, task=task)
    if as_json:
        print_json([claim.model_dump(mode="json") for claim in found])
    else:
        table(("document", "claim"), [(claim.document_id, claim.claim) for claim in found])


@library.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path))
def evaluate(file: Path) -> None:
    """Measure how well the library answers the questions of FILE, and print one JSON object.

    FILE holds one question a line: {"q", "keys", "lang", "kind"}; kind `unanswerable` counts as right when the library
    declines.
    """
    from kb.evaluate import as_json, read_questions
    from kb.evaluate import evaluate as measure
    from kb.fusion import Weights
    from ui.library import open_library

    if not file.is_file():
        raise click.UsageError(f"there is no file {file}.")
    click.echo(as_json(measure(open_library().searcher(Weights()), read_questions(file))))
