"""`circuit-court mcp`: the court for other agents."""

import click


@click.command()
def mcp() -> None:
    """Serve the court to other agents over the Model Context Protocol.

    Speaks on standard input and output: name this command in the agent's configuration.
    """
    from ui.mcp_server import serve

    serve()
