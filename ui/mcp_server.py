"""The court over the Model Context Protocol: another agent searches the library, runs experiments, puts claims on trial.

The tools are those of the command line and return the same JSON. Reading needs no worker; whatever computes uses a
living one, or starts one that ends with this server. An error that the caller can correct comes back as the tool's
error with its one sentence. Nothing here computes a number or a verdict.
"""

import functools
from collections.abc import Callable
from contextlib import ExitStack
from threading import Lock
from typing import Annotated, Any, Literal, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from agent.court import Court
from agent.errors import USER_ERRORS
from agent.supervisor import WorkerSupervisor
from ui.claim_json import claim_json
from ui.cli_library import chosen_filters
from ui.cli_output import ProgressLine
from ui.follow import follow
from ui.library import open_library
from ui.session import open_court

INSTRUCTIONS = (
    "Circuit Court puts claims about the inside of language models on trial. Verdicts are computed by fixed rules from "
    "preregistered predictions; repeat them with their scope and rung, and never as more than they say. Quote the library "
    "only with its passage ids."
)


class Desk:
    """What the tools share: the court, and a worker once something has to be computed."""

    def __init__(self, court: Court) -> None:
        self.court = court
        self._lock = Lock()
        self._stack = ExitStack()
        self._worker: WorkerSupervisor | None = None

    def run(self, queue: Callable[[Court], str]) -> str:
        """Queue a job and wait until it is done; its run id. Raises WorkerError with the run's sentence."""
        with self._lock:
            if self._worker is None:
                self._worker = self._stack.enter_context(WorkerSupervisor(self.court.config))
        self._worker.check()
        run_id = queue(self.court)
        follow(self.court, run_id, ProgressLine())
        return run_id

    def close(self) -> None:
        """End the worker that was started here."""
        self._stack.close()


P = ParamSpec("P")


def answering(tool: Callable[P, Any]) -> Callable[P, Any]:
    """Turn what the caller can correct into the tool's error."""

    @functools.wraps(tool)
    def safely(*arguments: P.args, **named: P.kwargs) -> Any:
        try:
            return tool(*arguments, **named)
        except USER_ERRORS as wrong:
            raise ToolError(str(wrong)) from wrong

    return safely


def build_server(desk: Desk) -> MCPServer:
    """The server with all its tools."""
    server = MCPServer("circuit-court", title="Circuit Court", instructions=INSTRUCTIONS, log_level="ERROR")
    _add_library_tools(server)
    _add_court_tools(server, desk)
    return server


def _add_library_tools(server: MCPServer) -> None:
    @server.tool()
    @answering
    def search_library(
        question: str,
        limit: Annotated[int, Field(ge=1, le=100)] = 8,
        *,
        since: int | None = None,
        until: int | None = None,
        tags: list[str] | None = None,
        kinds: list[str] | None = None,
        trust: Literal["low", "medium", "high"] | None = None,
        confidence: Annotated[float, Field(ge=0, le=1)] | None = None,
        language: Literal["en", "ko"] | None = None,
        model: str | None = None,
    ) -> dict[str, Any]:
        """Find passages of the interpretability literature that answer a question, in English or Korean.

        `declined` is true when the library does not say. The other arguments limit the search to documents: of the
        years `since` to `until`; with all of `tags`; of one of `kinds` (note, concept, paper, article, reference);
        trusted at least as far as `trust`; that state a `confidence` of at least this, 0 to 1; in this `language`; that
        study this `model` (part of its name).
        """
        filters = chosen_filters(
            {
                "since": since,
                "until": until,
                "tags": tuple(tags or ()),
                "kinds": tuple(kinds or ()),
                "trust": trust,
                "confidence": confidence,
                "language": language,
                "model": model,
            }
        )
        return open_library().search(question, limit=limit, filters=filters).model_dump(mode="json")

    @server.tool()
    @answering
    def read_document(name: str) -> dict[str, Any]:
        """A document of the library, whole, by id, title or alias."""
        return open_library().document(name).model_dump(mode="json")

    @server.tool()
    @answering
    def literature_claims(model: str | None = None, component: str | None = None, task: str | None = None) -> list[Any]:
        """Claims of the literature that can be tested, filtered by words."""
        found = open_library().claims(model=model, component=component, task=task)
        return [claim.model_dump(mode="json") for claim in found]


def _add_court_tools(server: MCPServer, desk: Desk) -> None:
    court = desk.court

    @server.tool()
    @answering
    def verify_claim(sentence: str, model: str | None = None, task: str | None = None) -> dict[str, Any]:
        """Put one claim on trial, for example "head 20.0 is necessary for IOI", and return verdict and evidence.

        Predictions are registered before they are tested. A stored verdict comes back at once; a trial takes minutes.
        """
        card = court.stored_verdict(sentence, model=model, task=task)
        if card is None:
            run = court.run(desk.run(lambda court: court.verify(sentence, model=model, task=task)))
            card = court.claim((run.outcome or {})["claim_id"])
        return claim_json(card)

    @server.tool()
    @answering
    def list_claims(model: str | None = None, task: str | None = None) -> list[Any]:
        """All claims of the ledger with verdict, scope and rung, newest first."""
        return [claim.model_dump(mode="json") for claim in court.claims(model=model, task=task)]

    @server.tool()
    @answering
    def show_claim(claim_id: str) -> dict[str, Any]:
        """One claim with its predictions, evidence, remarks and provenance, by id or the beginning of it."""
        return claim_json(court.claim(claim_id))

    @server.tool()
    @answering
    def list_experiments() -> list[Any]:
        """What can be measured, with the JSON schema of each experiment's parameters."""
        return court.catalogue("experiment")

    @server.tool()
    @answering
    def run_experiment(name: str, parameters: dict[str, Any], model: str | None = None) -> dict[str, Any]:
        """Run one experiment and return its numbers. It is exploratory: evidence for no claim."""
        run = court.run(desk.run(lambda court: court.run_experiment(name, parameters, model=model)))
        result = court.result((run.outcome or {})["result_id"])
        return {"result_id": result.result_id, **result.model_dump(mode="json")}

    @server.tool()
    @answering
    def ask(question: str) -> dict[str, Any]:
        """Ask the court's own assistant; every number and quotation in the answer resolves to something stored."""
        answer = court.answer(desk.run(lambda court: court.ask(question)))
        return answer.model_dump(mode="json") if answer else {}


def serve() -> None:
    """Serve on standard input and output until the client leaves."""
    desk = Desk(open_court())
    try:
        build_server(desk).run("stdio")
    finally:
        desk.close()
