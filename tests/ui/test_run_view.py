from typing import Any

from agent.events import Event
from ui.run_view import RunView, fold


def events(*pairs: tuple[str, dict[str, Any]]) -> list[Event]:
    return [
        Event(run_id="r", seq=number, kind=kind, payload=payload, at="2026-01-01")  # pyright: ignore[reportArgumentType]
        for number, (kind, payload) in enumerate(pairs, start=1)
    ]


REGISTERED = (
    "registered",
    {
        "claim_id": "c1",
        "text": "a20.h0 is necessary for ioi",
        "prereg_hash": "abcdef0123456789",
        "predictions": [{"key": "C1", "role": "critical", "experiment": "head-ablation", "says": "harm at least 0.05"}],
    },
)


def test_before_the_first_event_a_run_waits():
    assert fold([]).status == "waiting for a worker"


def test_folding_in_two_parts_equals_folding_at_once():
    all_events = events(
        ("status", {"text": "reading"}),
        REGISTERED,
        ("progress", {"done": 0.5, "text": "half", "experiment": "head-ablation"}),
        ("delta", {"text": "a20"}),
        ("delta", {"text": ".h0"}),
    )
    assert fold(all_events[3:], fold(all_events[:3])) == fold(all_events)
    assert fold(all_events).text == "a20.h0"
    assert fold(all_events).last == 5


def test_a_tool_call_is_a_step_until_its_result_comes():
    call = ("tool", {"call_id": "t1", "tool": "search_library", "arguments": {"query": "induction heads"}})
    result = ("tool-result", {"call_id": "t1", "tool": "search_library", "text": "3 passages\nmore", "failed": False})
    assert fold(events(call)).steps[0].state == "running"
    ended = fold(events(call, result)).steps[0]
    assert (ended.state, ended.notes) == ("done", ("3 passages",))
    assert ended.title == "search library: induction heads"


def test_a_failed_tool_call_says_so():
    call = ("tool", {"call_id": "t1", "tool": "run", "arguments": {}})
    result = ("tool-result", {"call_id": "t1", "tool": "run", "text": "no such head", "failed": True})
    assert fold(events(call, result)).steps[0].state == "failed"


def test_a_trial_lists_its_predictions_before_its_evidence():
    evidence = ("evidence", {"claim_id": "c1", "key": "C1", "outcome": "pass", "text": "harm 0.36"})
    verdict = ("verdict", {"claim_id": "c1", "verdict": "supported", "reason": "all passed", "rung": 3})
    view = fold(events(REGISTERED, evidence, verdict))
    assert view.steps[0].notes == (
        "1 prediction registered as abcdef012345",
        "C1 head-ablation: harm at least 0.05",
        "C1 → pass: harm 0.36",
        "all passed",
    )
    assert view.steps[0].state == "done"
    assert view.verdicts == {"c1": "supported"}


def test_the_bar_goes_when_the_evidence_is_in():
    progress = ("progress", {"done": 0.5, "text": "half", "experiment": "head-ablation"})
    evidence = ("evidence", {"claim_id": "c1", "key": "C1", "outcome": "pass", "text": "harm 0.36"})
    assert fold(events(REGISTERED, progress)).progress is not None
    assert fold(events(REGISTERED, progress, evidence)).progress is None


def test_an_approval_is_asked_for_until_the_run_ends():
    asked = ("approval", {"text": "4,000 passes"})
    assert fold(events(asked)).approval == "4,000 passes"
    assert fold(events(asked, ("ended", {"status": "cancelled", "error": None}))).approval is None


def test_a_run_that_failed_keeps_its_sentence():
    view = fold(events(("ended", {"status": "failed", "error": "no such head"})))
    assert (view.ended, view.error) == ("failed", "no such head")


def test_a_view_starts_empty():
    assert fold([], RunView()) == RunView()


def test_a_sign_of_life_between_batches_does_not_move_the_bar():
    half = ("progress", {"done": 0.5, "text": "16 of 32 prompts", "experiment": "screen"})
    alive = ("progress", {"done": 0.0, "text": "working", "experiment": "screen"})
    assert fold(events(half, alive)).progress == fold(events(half)).progress
    shown = fold(events(alive)).progress
    assert shown is not None
    assert shown.done == 0.0


PLAN = (
    "plan",
    {
        "text": "1 claim to test",
        "basis": "measured rates",
        "claims": [{"text": "a0.h0 is necessary", "seconds": 2.0, "forward_passes": 1200}],
        "over_budget": True,
    },
)
ASKS = ("approval", {"estimate_seconds": 2, "estimate_forward_passes": 1200, "text": "Go on?"})


def test_a_plan_stays_visible_with_each_claims_cost():
    step = fold(events(PLAN, ("status", {"text": "on"}))).steps[0]
    assert (step.title, step.notes) == ("1 claim to test", ("a0.h0 is necessary: 1,200 forward passes, 2 s",))


def test_an_approval_is_asked_for_until_it_is_answered():
    asked = events(PLAN, ASKS, ("status", {"text": "going on", "again": True}))
    assert fold(asked).approval == "Go on?"
    answered = fold(events(PLAN, ASKS, ("approved", {"approved": False})))
    assert answered.approval is None
    assert answered.steps[0].notes[-1].startswith("not approved")
