"""What a run tells while it runs: the events that the worker writes and that the app, the command line and MCP read.

A run's events are numbered from 1 without gaps and never change, so a reader that remembers the last number it saw
misses nothing, across reloads and restarts. Payloads are plain JSON:

| kind | payload |
|---|---|
| `status` | `{"text"}` what is being done now, one short line; with `"again": true` when a new worker goes on |
| `tool` | `{"call_id", "tool", "arguments"}` the agent calls a tool |
| `tool-result` | `{"call_id", "tool", "text", "claims": [...], "results": [...], "passages": [...], "failed": bool}` |
| `registered` | `{"claim_id", "text", "prereg_hash", "predictions": [{"key", "role", "experiment", "says"}]}` |
| `progress` | `{"done": 0..1, "text", "experiment"}` of the experiment that runs now |
| `evidence` | `{"claim_id", "prediction_id", "key", "look", "outcome", "result_id", "text"}` |
| `verdict` | `{"claim_id", "verdict", "reason", "rung"}` |
| `plan` | `{"text", "basis", "claims": [{"text", "seconds", "forward_passes"}], "over_budget": bool}` what is to be tested |
| `approval` | `{"estimate_seconds", "estimate_forward_passes", "text"}` waits for a yes or no; in a chat's run also `"run_id"` of the run that waits |
| `approved` | `{"approved": bool}` the answer to it |
| `read` | `{"said", "claim", "llm"}` the claim, in the court's words, that an llm read a sentence as; before it is registered |
| `usage` | an `agent.usage.Usage` as JSON: one call of the llm |
| `delta` | `{"text"}` the next piece of the answer's words |
| `answer` | the whole `agent.answer.Answer` as JSON; always the last before `ended` of an `ask` run |
| `ended` | `{"status": done, failed or cancelled, "error": one sentence or null}`; always the last event |
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

EventKind = Literal[
    "status",
    "tool",
    "tool-result",
    "registered",
    "progress",
    "evidence",
    "verdict",
    "plan",
    "approval",
    "approved",
    "read",
    "usage",
    "delta",
    "answer",
    "ended",
]


class Event(BaseModel):
    """One event of a run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    seq: int
    kind: EventKind
    payload: dict[str, Any]
    at: str
