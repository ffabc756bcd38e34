"""`circuit-court library`: the library from the terminal, without a worker."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ui.cli_output import ProgressLine, json_option, print_json, say, table

if TYPE_CHECKING:
    from kb.records import IngestReport

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
    the rest goes in. Addresses are fetched only when CIRCUIT_COURT_FETCH=true.
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
        else:
            report = open_library().add(Path(source), progress=lambda n, total, item: line.show(item.source, n / total))
        items += report.items
        problems |= dict.fromkeys(report.problems)
    line.clear()
    _print_report(IngestReport(items=tuple(items), problems=tuple(problems)), as_json)


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
    from ui.library import open_library

    if not file.is_file():
        raise click.UsageError(f"there is no file {file}.")
    print_json(open_library().evaluate(file))


@library.command("compare")
@click.argument("names", nargs=-1, required=True)
@json_option
def compare(names: tuple[str, ...], as_json: bool) -> None:
    """Compare documents in a table: question, method, findings with numbers, limits; every cell is cited."""
    from kb.comparison import as_markdown
    from ui.library import open_library

    rows = open_library().compare(list(names))
    if as_json:
        print_json([row.model_dump(mode="json") for row in rows])
    else:
        click.echo(as_markdown(rows))


@library.command("disagreements")
@click.argument("topic")
@json_option
def disagreements(topic: str, as_json: bool) -> None:
    """Show cited sentences on TOPIC that point in opposite directions, with what differs between them."""
    from ui.library import open_library

    found = open_library().disagreements(topic)
    if as_json:
        print_json([pair.model_dump(mode="json") for pair in found])
        return
    for pair in found:
        click.echo(
            f"{pair.kind}\n  {pair.one.document_id}: {pair.one.text}\n  {pair.other.document_id}: {pair.other.text}"
        )
        differs = {"model": pair.models, "metric": pair.metrics, "ablation": pair.ablations}
        for name, (one, other) in differs.items():
            if one or other:
                click.echo(f"  {name} differs: {', '.join(one) or '–'} against {', '.join(other) or '–'}")
    if not found:
        click.echo("Nothing in the library disagrees about this, as far as its words show.")


@library.command("export")
@click.argument("kind", type=click.Choice(["bibtex", "markdown", "passages"]))
@click.option("--tag", "tags", multiple=True, help="Only documents with this tag (may be given more than once).")
@click.option("--out", type=click.Path(path_type=Path), help="File to write; a folder for `passages`.")
def export(kind: Literal["bibtex", "markdown", "passages"], tags: tuple[str, ...], out: Path | None) -> None:
    """Write a reading list (BibTeX or Markdown), or all passages with their vectors (JSONL and NumPy)."""
    from kb.records import Filters
    from ui.library import open_library

    if kind == "passages":
        if out is None:
            raise click.UsageError("Name the folder to write passages into: --out FOLDER")
        say(f"{open_library().export_passages(out)} passages in {out}")
        return
    text = open_library().export(kind, Filters(tags=tags or None))
    if out is None:
        click.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        say(f"written: {out}")
