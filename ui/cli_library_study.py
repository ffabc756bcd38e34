"""What the library gives back from the terminal: summaries, definitions, claims, comparisons, disagreements, exports."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ui.cli_output import json_option, print_json, say

if TYPE_CHECKING:
    from agent.claim_here import CarriedOver
    from kb.records import Cited, LiteratureClaim, Summary
    from kb.summary_check import WrittenSummary

PARTS = {"question": "Question", "method": "Method", "findings": "Findings", "limits": "Limits", "test": "To test"}


@click.command("summarise")
@click.argument("name")
@click.option("--extract", is_flag=True, help="Take sentences as they stand, also when an llm is configured.")
@json_option
def summarise(name: str, extract: bool, as_json: bool) -> None:
    """Summarise the document that NAME leads to, or a topic: question, method, findings, limits, what to test.

    Every sentence is cited. With CIRCUIT_COURT_LLM set the llm words it, and each sentence is held against the passages it
    cites; those with a number, name or quotation that is not there are dropped and listed.
    """
    from ui.library import open_library
    from ui.settings import load

    if extract or not load().llm:
        summary = open_library().summarise(name)
        if as_json:
            print_json(summary.model_dump(mode="json"))
        else:
            _print_extract(summary)
        return
    from agent.written_summary import summary_by_configured_llm

    written, usage = summary_by_configured_llm(load(), open_library(), name)
    if as_json:
        print_json({**written.model_dump(mode="json"), "usage": usage.model_dump(mode="json")})
    else:
        _print_written(written)
        say(f"{written.llm}: {usage.says()}")


def _print_extract(summary: "Summary") -> None:
    trust = ", ".join(part for part in (summary.trust, summary.verification) if part)
    click.echo(click.style(summary.title, bold=True) + (f"  ({trust})" if trust else ""))
    for part, heading in PARTS.items():
        sentences: tuple[Cited, ...] = getattr(summary, part, ())
        if sentences:
            click.echo(f"\n{heading}")
        for cited in sentences:
            _print_cited(cited)
    if summary.tests:
        click.echo(f"\n{PARTS['test']}")
        _print_claims(summary.tests)


def _print_cited(cited: "Cited") -> None:
    """A sentence and, dimmed, where it stands."""
    text = " ".join(cited.text.split())
    click.echo(f"- {text}{' …' if text.endswith(',') else ''}")
    click.echo(click.style(f"  {cited.place}", dim=True))


def _print_claims(found: "Sequence[LiteratureClaim]") -> None:
    """Claims of the literature, each with what tests it in the model under study, on the tasks that the assistant has."""
    from agent.claim_here import carry_over
    from agent.claim_parser_task import known_tasks
    from agent.published import Published
    from ui.session import open_court

    tasks = Published(open_court().ledger).tasks() or known_tasks()
    for claim in found:
        _print_claim(claim, carry_over(claim, tasks))


def _print_claim(claim: "LiteratureClaim", carried: "CarriedOver") -> None:
    """A claim and, dimmed, its id, how it would be tested, and the command that does it or why there is none."""
    click.echo(f"- {claim.claim}")
    details = {
        "in": claim.component,
        "task": claim.task,
        "by": claim.intervention,
        "expected": claim.expected,
        "refuted if": claim.refuted_if,
    }
    told = "; ".join(f"{name} {words}" for name, words in details.items() if words)
    click.echo(click.style(f"  {claim.id}{': ' if told else ''}{told}", dim=True))
    if carried.task is None:
        reason, _, _ = carried.english.partition(" Tasks: ")  # the list of all tasks would stand under every claim
        click.echo(click.style(f"  {reason}", dim=True))
    else:
        asked = shlex.quote(f"test the claim {claim.id}")
        click.echo(click.style(f"  test it here, on {carried.task}: circuit-court ask {asked}", dim=True))


def _print_written(written: "WrittenSummary") -> None:
    from ui.library import find_passage

    click.echo(click.style(written.title, bold=True) + f"  (worded by {written.llm}, every sentence checked)")
    for part, heading in PARTS.items():
        sentences = [sentence for sentence in written.sentences if sentence.part == part]
        if sentences:
            click.echo(f"\n{heading}")
        for sentence in sentences:
            click.echo(f"- {sentence.text}")
            for passage_id in sentence.passage_ids:
                source = find_passage(passage_id)
                place = source.place if source else f"passage {passage_id}, which the library does not hold any more"
                click.echo(click.style(f"  {place}", dim=True))
    if written.dropped:
        many = len(written.dropped)
        click.echo(f"\n{many} sentence{'s' if many > 1 else ''} dropped:")
        for dropped in written.dropped:
            click.echo(f"- {dropped.sentence.text}\n  {dropped.reason}")


@click.command("define")
@click.argument("term")
@json_option
def define(term: str, as_json: bool) -> None:
    """Say what TERM means, in cited sentences of the note about it."""
    from ui.library import open_library

    found = open_library().define(term)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    click.echo(click.style(found.title, bold=True) + f"  ({found.document_id})")
    for cited in (*found.sentences, *found.korean):
        _print_cited(cited)


@click.command("claims")
@click.option("--model", help="Only claims about this model.")
@click.option("--component", help="Only claims about this component.")
@click.option("--task", help="Only claims about this task.")
@json_option
def claims(model: str | None, component: str | None, task: str | None, as_json: bool) -> None:
    """List the claims of the literature, each with the command that tests it here, or why it cannot be tested."""
    from ui.library import open_library

    found = open_library().claims(model=model, component=component, task=task)
    if as_json:
        print_json([claim.model_dump(mode="json") for claim in found])
    elif not found:
        click.echo("No claim in the library is like that.")
    else:
        _print_claims(found)


@click.command("passage")
@click.argument("passage_id")
@click.option(
    "--quote", "quotation", help="Words to find in it, character by character; refused when they are not there."
)
@json_option
def passage(passage_id: str, quotation: str | None, as_json: bool) -> None:
    """Show the passage with the id PASSAGE_ID: its document, where it stands there, and its exact text."""
    from ui.library import open_library

    found = open_library().passage(passage_id)
    span = open_library().locate(passage_id, quotation) if quotation else None
    if as_json:
        print_json({**found.model_dump(mode="json"), **({"quote": list(span)} if span else {})})
        return
    click.echo(click.style(found.title, bold=True) + f"  {found.heading.removeprefix(f'{found.title} > ')}")
    click.echo(click.style(found.place, dim=True))
    click.echo(found.text)
    if span:
        say(f"verbatim in it, characters {span[0]} to {span[1]}")


@click.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--half", type=click.Choice(["fit", "report"]), help="Only questions of this half, where FILE has halves."
)
def evaluate(file: Path, half: Literal["fit", "report"] | None) -> None:
    """Measure how well the library answers the questions of FILE, and print one JSON object.

    FILE holds one question a line: {"q", "keys", "lang", "kind"}; kind `unanswerable` counts as right when the library
    declines.
    """
    from ui.library import open_library

    if not file.is_file():
        raise click.UsageError(f"there is no file {file}.")
    print_json(open_library().evaluate(file, half))


@click.command("compare")
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


@click.command("disagreements")
@click.argument("topic")
@json_option
def disagreements(topic: str, as_json: bool) -> None:
    """Show cited sentences on TOPIC that point in opposite directions, with what differs between them."""
    from kb.disagreements import HOW
    from ui.library import open_library

    found = open_library().disagreements(topic)
    if as_json:
        print_json([pair.model_dump(mode="json") for pair in found])
        return
    for pair in found:
        click.echo(click.style(HOW[pair.kind], bold=True))
        for side in (pair.one, pair.other):
            _print_cited(side)
        differs = {"model": pair.models, "metric": pair.metrics, "ablation": pair.ablations}
        for name, (one, other) in differs.items():
            if one or other:
                click.echo(f"  {name} differs: {', '.join(one) or '–'} against {', '.join(other) or '–'}")
    if not found:
        click.echo("Nothing in the library disagrees about this, as far as its words show.")


@click.command("export")
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
