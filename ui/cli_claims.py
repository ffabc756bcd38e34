"""`circuit-court claims`: the ledger's claims, read, judged again and taken elsewhere."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.cli_output import ProgressLine, json_option, print_json, table

if TYPE_CHECKING:
    from agent.court import Court


@click.group()
def claims() -> None:
    """Read the ledger's claims, judge them again, take them elsewhere."""


@claims.command("list")
@click.option("--model", help="Only claims about this model.")
@click.option("--task", help="Only claims about this task.")
@click.option("--verdict", type=click.Choice(["supported", "refuted", "inconclusive"]), help="Only this verdict.")
@click.option(
    "--search", default="", help="Only claims with all these words in text, components, task, type or reason."
)
@json_option
def list_(*, model: str | None, task: str | None, verdict: str | None, search: str, as_json: bool) -> None:
    """List claims, newest first, with verdict and rung.

    Refuted and open claims are kept like supported ones: --verdict refuted, --search "20.0 induction".
    """
    from agent.claim_search import search_claims
    from ui.session import open_court

    court = open_court()
    listed = court.claims(model=model, task=task)
    found = search_claims(listed, words=search, verdicts=(verdict,) if verdict else ())
    if as_json:
        print_json([card.model_dump(mode="json") for card in found])
    elif not found and listed:
        click.echo("No claim passes these filters.")
    elif not found:
        click.echo('No claims yet. Put one on trial: circuit-court verify "head 20.0 is necessary for IOI"')
    else:
        rows = [(card.claim_id[:12], card.verdict or card.status, card.rung, card.model, card.text) for card in found]
        table(("claim", "verdict", "rung", "model", "text"), rows)


@claims.command("show")
@click.argument("claim_id")
@json_option
def show(claim_id: str, as_json: bool) -> None:
    """Show one claim (id or the beginning of it) with its predictions and evidence."""
    from ui.claim_json import claim_json
    from ui.claim_text import claim_lines
    from ui.session import open_court

    card = open_court().claim(claim_id)
    if as_json:
        print_json(claim_json(card))
    else:
        click.echo("\n".join(claim_lines(card)))


@claims.command("rejudge")
@click.argument("claim_id")
@json_option
def rejudge(claim_id: str, as_json: bool) -> None:
    """Compute a claim's verdict again from the ledger alone; nothing is measured."""
    from ui.claim_json import claim_json
    from ui.session import open_court

    court = open_court()
    before = court.claim(claim_id)
    after = court.rejudge(before.claim_id)
    same = (before.verdict, before.rung) == (after.verdict, after.rung)
    if as_json:
        print_json({"before": before.verdict, "same": same, **claim_json(after)})
    else:
        click.echo(f"{after.verdict} (rung {after.rung}): {'as before' if same else f'it was {before.verdict}'}")


@claims.command("export")
@click.argument("claim_ids", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The bundle to write (a .zip file).")
@click.option("--notebooks", type=click.Path(path_type=Path), help="Write notebooks in plain TransformerLens into it.")
@json_option
def export(claim_ids: tuple[str, ...], out: Path | None, notebooks: Path | None, as_json: bool) -> None:
    """Take claims with all their evidence elsewhere.

    A bundle is one file that another installation checks and judges again. A notebook reproduces one result's numbers
    without this program.
    """
    from ui.session import open_court

    if out is None and notebooks is None:
        raise click.UsageError("Say where to: --out FILE.zip for a bundle, --notebooks FOLDER for notebooks.")
    court = open_court()
    written = [str(court.export_bundle(list(claim_ids), out))] if out is not None else []
    if notebooks is not None:
        written += _notebooks(court, claim_ids, notebooks)
    if as_json:
        print_json({"written": written})
    else:
        click.echo("\n".join(written))


def _notebooks(court: "Court", claim_ids: tuple[str, ...], folder: Path) -> list[str]:
    """Have the worker write each claim's notebooks, and copy them into `folder`."""
    from agent.notebook_cells import COVERED
    from ui.follow import follow
    from ui.session import court_with_worker

    cards = [court.claim(claim_id) for claim_id in claim_ids]
    tested = [p for card in cards for p in card.predictions if p.experiment in COVERED]
    results = list(dict.fromkeys(result for p in tested for result in p.result_ids))
    if not results:
        raise click.UsageError(f"this evidence has no notebooks; these experiments have: {', '.join(COVERED)}.")
    folder.mkdir(parents=True, exist_ok=True)
    line, written = ProgressLine(), []
    with court_with_worker(line, court):
        for result in results:
            path = Path((follow(court, court.notebook(result), line).outcome or {})["path"])
            for file in sorted(path.parent.glob(f"{path.stem}*")):
                written.append(str(shutil.copy(file, folder)))
    return written


@claims.command("replicate")
@click.argument("claim_id")
@json_option
def replicate(claim_id: str, as_json: bool) -> None:
    """Run a claim's evidence again and compare every number with the stored one."""
    from ui.follow import follow
    from ui.session import court_with_worker

    line = ProgressLine()
    with court_with_worker(line) as court:
        outcome = follow(court, court.replicate(claim_id), line).outcome or {}
    if as_json:
        print_json(outcome)
    else:
        click.echo("\n".join(_replication_lines(outcome)))


def _replication_lines(outcome: dict[str, Any]) -> list[str]:
    word = "agrees" if outcome["agrees"] else "DIFFERS"
    lines = [
        f"{word}: {outcome['verdict']}, again {outcome['verdict_again']}; largest difference "
        f"{outcome['largest_difference']:.2g} (tolerance {outcome['tolerance']:g})"
    ]
    for row in outcome["rows"]:
        lines.append(f"  {row['key']} {row['experiment']}: {row['name']} {row['stored']:.4f}, again {row['again']:.4f}")
    return lines


@claims.command("import")
@click.argument("bundle", type=click.Path(path_type=Path))
@json_option
def import_(bundle: Path, as_json: bool) -> None:
    """Take the claims of a bundle from elsewhere in, if it holds.

    A claim that was put on trial here keeps its own record. What is taken in was not measured here: replicate it.
    """
    from ui.session import open_court

    if not bundle.is_file():
        raise click.UsageError(f"there is no file {bundle}.")
    outcome = open_court().import_bundle(bundle)
    if as_json:
        print_json(outcome._asdict())
        return
    click.echo(f"{len(outcome.taken)} claims taken in, {len(outcome.kept)} kept as they are here")
    for line in outcome.differs:
        click.echo(f"differs: {line}")


@claims.command("check")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.pass_context
@json_option
def check(ctx: click.Context, bundle: Path, as_json: bool) -> None:
    """Check a bundle from elsewhere: every hash, every order of events, every verdict computed again.

    Exit status 2 when it does not hold.
    """
    from agent.bundle import check_bundle

    if not bundle.is_file():
        raise click.UsageError(f"there is no file {bundle}.")
    found = check_bundle(bundle)
    if as_json:
        print_json(found._asdict())
    else:
        click.echo(f"{found.claims} claims, {found.results} results, {found.verdicts} verdicts")
        click.echo("\n".join(found.faults) or "the bundle holds")
    ctx.exit(2 if found.faults else 0)
