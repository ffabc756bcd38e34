"""Folds the events of a run into what a page shows of it: pure, so that a reload draws the same again.

A run's events are the only source: what is drawn after a reload, in another browser or after the run has ended is
the same as what was drawn while it ran.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, assert_never

from agent.answer import Answer
from agent.events import Event
from agent.usage import Usage

STILL_WORKING = "working"
StepState = Literal["running", "done", "failed"]


@dataclass(frozen=True)
class Step:
    """One tool call, or one claim's trial: `notes` are its lines in order."""

    key: str
    title: str
    state: StepState = "running"
    notes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far the experiment that runs now has come."""

    done: float
    text: str


@dataclass(frozen=True)
class RunView:
    """A run as a page shows it."""

    status: str = "waiting for a worker"
    steps: tuple[Step, ...] = ()
    progress: Progress | None = None
    approval: str | None = None
    text: str = ""
    answer: Answer | None = None
    ended: Literal["done", "failed", "cancelled"] | None = None
    error: str | None = None
    last: int = 0
    verdicts: dict[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


def fold(events: Iterable[Event], view: RunView | None = None) -> RunView:
    """The view after these events; continue from an earlier `view` by giving it."""
    current = view or RunView()
    for event in events:
        current = replace(_after(current, event), last=event.seq)
    return current


def _after(view: RunView, event: Event) -> RunView:
    payload = event.payload
    match event.kind:
        case "status":
            return replace(view, status=payload["text"])
        case "tool":
            title = _tool_title(payload["tool"], payload["arguments"])
            return replace(view, status=title, steps=(*view.steps, Step(payload["call_id"], title)))
        case "tool-result":
            return replace(view, steps=_tool_ended(view.steps, payload), progress=None, status="reading what came out")
        case "registered":
            says = [f"{p['key']} {p['experiment']}: {p['says']}" for p in payload["predictions"]]
            step = Step(payload["claim_id"], f"On trial: {payload['text']}", notes=(_registered(payload), *says))
            return replace(view, steps=(*view.steps, step), status="predictions registered")
        case "progress" if view.progress is not None and payload["text"] == STILL_WORKING:
            return view  # a sign of life between two batches: nothing new to draw
        case "progress":
            return replace(view, progress=Progress(float(payload["done"]), payload["text"]), status=payload["text"])
        case "evidence":
            note = f"{payload['key']} → {payload['outcome']}: {payload['text']}"
            return replace(view, steps=_noted(view.steps, payload["claim_id"], note), progress=None)
        case "verdict":
            steps = _noted(view.steps, payload["claim_id"], payload["reason"], state="done")
            verdicts = {**view.verdicts, payload["claim_id"]: payload["verdict"]}
            return replace(view, steps=steps, verdicts=verdicts, status="verdict computed")
        case "plan":
            step = Step("plan", payload["text"], state="done", notes=_planned(payload))
            return replace(view, steps=(*view.steps, step), status="the plan is made", progress=None)
        case "approval":
            return replace(view, approval=payload["text"], status="waiting for your approval")
        case "approved":
            said = "approved" if payload["approved"] else "not approved: what fits the budget is done"
            return replace(view, approval=None, status=said, steps=_noted(view.steps, "plan", said))
        case "read":
            step = Step(f"read-{event.seq}", f"Read as: {payload['claim']}", state="done", notes=(_read(payload),))
            return replace(view, steps=(*view.steps, step), status="the sentence is read")
        case "usage":
            return replace(view, usage=view.usage + Usage.model_validate(payload))
        case "delta":
            return replace(view, text=view.text + payload["text"], status="writing")
        case "answer":
            return replace(view, answer=Answer.model_validate(payload))
        case "ended":
            return replace(view, ended=payload["status"], error=payload["error"], progress=None, approval=None)
        case _:
            assert_never(event.kind)


def _registered(payload: dict[str, Any]) -> str:
    count = len(payload["predictions"])
    return f"{count} prediction{'s' if count != 1 else ''} registered as {payload['prereg_hash'][:12]}"


def _read(payload: dict[str, Any]) -> str:
    return f"by {payload['llm']}, from: {payload['said']}"


def _planned(payload: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{claim['text']}: {claim['forward_passes']:,} forward passes, {claim['seconds']:.0f} s"
        for claim in payload["claims"]
    )


def _tool_title(tool: str, arguments: dict[str, Any]) -> str:
    words = tool.replace("_", " ").replace("-", " ")
    value = next((str(v) for v in arguments.values() if isinstance(v, str) and v), "")
    return f"{words}: {value[:80]}" if value else words


def _tool_ended(steps: tuple[Step, ...], payload: dict[str, Any]) -> tuple[Step, ...]:
    state: StepState = "failed" if payload.get("failed") else "done"
    first = payload["text"].strip().split("\n")[0][:200]
    return tuple(
        replace(step, state=state, notes=(*step.notes, first), claims=tuple(payload.get("claims", ())))
        if step.key == payload["call_id"]
        else step
        for step in steps
    )


def _noted(steps: tuple[Step, ...], key: str, note: str, *, state: StepState | None = None) -> tuple[Step, ...]:
    return tuple(
        replace(step, notes=(*step.notes, note), state=state or step.state) if step.key == key else step
        for step in steps
    )
