"""`circuit-court doctor`: what is there, what is not, what to do."""

import click

from ui.cli_output import json_option, print_json


@click.command()
@click.pass_context
@json_option
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check this installation and say what to repair.

    Nothing is downloaded and nobody is contacted. The exit status is 2 when something needs repair.
    """
    from agent.doctor import examine
    from ui.settings import load

    checks = examine(load())
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            sign = click.style("well  ", fg="green") if check.ok else click.style("REPAIR", fg="red")
            click.echo(f"{sign}  {check.name.ljust(width)}  {check.detail}")
            if check.remedy:
                click.echo(f"{' ' * (width + 10)}{check.remedy}")
    ctx.exit(0 if all(check.ok for check in checks) else 2)
