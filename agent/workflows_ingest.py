"""The job that adds files and folders to the library, item by item: each is one durable step."""

from typing import TYPE_CHECKING, Any

from agent.errors import AgentError
from agent.job import Job

if TYPE_CHECKING:
    from agent.workflows import Desk


def ingest(desk: "Desk", job: Job) -> dict[str, Any]:
    """Add what the request names."""
    raise AgentError("Adding to the library through the worker is not there yet; use: circuit-court library add")
