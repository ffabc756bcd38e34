"""Jobs of a real worker besides verifying: taking files in, running evidence again, notebooks, investigations."""

import time

import pytest

from agent.court import Court
from agent.errors import LedgerError
from agent.library import open_library
from tests.agent.running import MODEL, TASK, ended, running_court


@pytest.fixture(scope="module")
def court(tmp_path_factory):
    with running_court(tmp_path_factory.mktemp("jobs") / "home", patience=120.0) as (opened, _):
        yield opened


@pytest.fixture(scope="module")
def claim_id(court: Court) -> str:
    run_id = court.verify("head 1.0 is necessary for the task")
    ended(court, run_id)
    return court.run(run_id).outcome["claim_id"]


def note(folder, name: str, text: str) -> None:
    (folder / f"{name}.md").write_text(f"---\nid: {name}\ntitle: {name}\n---\n# {name}\n\n{text}\n")


def test_a_folder_goes_into_the_library_item_by_item(court, tmp_path):
    for number in range(3):
        note(tmp_path, f"note-{number}", f"Sentence {number} about zebras.")
    (tmp_path / "broken.md").write_bytes(b"\xff\xfe\x00broken\x80")
    run_id = court.add_to_library([str(tmp_path)])
    ended(court, run_id)
    states = {item["source"].rpartition("/")[2]: item["state"] for item in court.run(run_id).outcome["items"]}
    assert [states[f"note-{number}.md"] for number in range(3)] == ["added"] * 3
    with open_library(court.config) as library:
        assert {line.id for line in library.documents()} >= {"note-0", "note-1", "note-2"}


def test_a_deleted_note_leaves_the_library(court, tmp_path):
    note(tmp_path, "kept", "This one stays.")
    note(tmp_path, "gone", "This one goes.")
    ended(court, court.add_to_library([str(tmp_path)]))
    (tmp_path / "gone.md").unlink()
    run_id = court.add_to_library([str(tmp_path)])
    ended(court, run_id)
    assert [item["state"] for item in court.run(run_id).outcome["items"]] == ["unchanged", "removed"]


def test_a_source_that_is_not_there_fails_the_run_with_its_name(court):
    run_id = court.add_to_library(["/nowhere/at-all"])
    ended(court, run_id)
    assert "'/nowhere/at-all'" in court.run(run_id).error


def test_evidence_runs_again_with_the_same_numbers(court, claim_id):
    run_id = court.replicate(claim_id)
    ended(court, run_id)
    outcome = court.run(run_id).outcome
    assert outcome["agrees"] and outcome["verdict_again"] == "supported"
    assert outcome["largest_difference"] < 1e-3
    again = [a.status for a in court.ledger.evidence.attempts(run_id=run_id)]
    assert again == ["done"] * len({row["again_id"] for row in outcome["rows"]})


def test_judging_again_gives_the_stored_verdict(court, claim_id):
    before = court.ledger.registry.verdict(claim_id)
    card = court.rejudge(claim_id)
    assert card.verdict == "supported"
    assert court.ledger.registry.verdict(claim_id).verdict_id == before.verdict_id


def test_evidence_is_written_as_a_notebook(court, claim_id):
    prediction = next(p for p in court.claim(claim_id).predictions if p.experiment == "head-ablation")
    run_id = court.notebook(prediction.result_ids[0])
    ended(court, run_id)
    path = court.config.home / "notebooks" / f"{prediction.result_ids[0]}.ipynb"
    assert court.run(run_id).outcome == {"path": str(path)} and path.stat().st_size > 1000


def test_a_chat_turn_ends_as_a_message_of_its_conversation(court):
    run_id = court.ask("which experiments are there?")
    ended(court, run_id)
    run = court.run(run_id)
    assert run.status == "done", run.error
    messages = court.messages(run.conversation_id)
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert "head-ablation" in messages[1]["content"]["text"]
    assert court.answer(run_id).text == messages[1]["content"]["text"]


def wait_for_approval(court: Court, run_id: str) -> None:
    for event in court.follow(run_id):
        if event.kind == "approval":
            return
    pytest.fail(f"no approval was asked for: {court.run(run_id)}")


def test_a_dear_investigation_waits_and_takes_no_for_an_answer(court):
    run_id = court.investigate("How does it do this?", model=MODEL, task=TASK, forward_passes=1)
    wait_for_approval(court, run_id)
    time.sleep(0.5)
    assert court.run(run_id).status == "running"
    court.approve(run_id, yes=False)
    ended(court, run_id)
    run = court.run(run_id)
    assert run.status == "done", run.error
    assert run.outcome["approved"] is False


def test_a_waiting_investigation_can_be_cancelled(court):
    run_id = court.investigate("How does it do this then?", model=MODEL, task=TASK, forward_passes=1)
    wait_for_approval(court, run_id)
    court.cancel(run_id)
    ended(court, run_id)
    assert court.run(run_id).status == "cancelled"


def test_a_run_that_waits_for_nobody_cannot_be_approved(court):
    run_id = court.check_model(MODEL)
    with pytest.raises(LedgerError, match="does not wait for approval"):
        court.approve(run_id, yes=True)
    ended(court, run_id)
