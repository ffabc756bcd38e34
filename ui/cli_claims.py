"""`circuit-court claims`: the ledger's claims, read without a worker."""

import click

from ui.cli_output import json_option, print_json, table


@click.group()
def claims() -> None:
    """Read the claims of the ledger and their evidence."""


@claims.command("list")
@click.option("--model", help="Only claims about this model.")
@click.option("--task", help="Only claims about this task.")
@click.option("--verdict", type=click.Choice(["supported", "refuted", "inconclusive"]), help="Only this verdict.")
@json_option
def list_(model: str | None, task: str | None, verdict: str | None, as_json: bool) -> None:
    """List claims, newest first, with verdict and rung."""
    from ui.session import open_court

    found = [card for card in open_court().claims(model=model, task=task) if verdict in (None, card.verdict)]
    if as_json:
        print_json([card.model_dump(mode="json") for card in found])
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
