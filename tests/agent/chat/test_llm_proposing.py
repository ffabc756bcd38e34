"""An llm proposes hypotheses in an investigation: what is a claim is tried like all others, what is none is said so."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.report import Report
from tests.agent.chat.standin import Reply, StandIn, standin
from tests.agent.running import ended, running_court

IDLE = {"type": "absence", "components": ["a0.h2"]}
FALSE = {"type": "necessity", "components": ["a0.h3"]}
UNKNOWN = {"type": "necessity", "components": ["a9.h9"]}


def proposal(*claims: dict[str, Any]) -> Reply:
    said = {"title": "a bystander", "rationale": "it showed nothing", "claims": list(claims)}
    return [("Proposal", {"hypotheses": [said]})]


def investigated(home: Path, script: list[Reply]) -> tuple[Report, StandIn, list[str]]:
    """The report, what the llm was asked, and what the llm's claims' registrations disclose."""
    with standin(script, tokens=(900, 40)) as server:
        settings = {"llm": "openai:stand-in", "llm_base_url": server.url, "llm_api_key": SecretStr("sk-very-secret")}
        with running_court(home, patience=120.0, **settings) as (court, _):
            run_id = court.investigate("how does this model do its task?", model="planted:or")
            ended(court, run_id)
            run = court.run(run_id)
            assert run.status == "done", run.error
            report = Report.model_validate(run.outcome)
            row = court.ledger.registry.registration(report.claims[-1].claim_id)
            return report, server, row.payload["seen_by_proposer"] if row else []


@pytest.fixture(scope="module")
def proposed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, StandIn, list[str]]:
    return investigated(tmp_path_factory.mktemp("proposing") / "home", [proposal(IDLE, FALSE, UNKNOWN)])


def test_what_the_llm_proposes_is_tried_and_marked_as_its_own(proposed: tuple[Report, StandIn, list[str]]):
    report = proposed[0]
    (line,) = [line for line in report.hypotheses if line.origin == "llm"]
    assert line.title == "a bystander (proposed by openai:stand-in)"
    verdicts = {c.text: c.verdict for c in report.claims if c.claim_id in line.claim_ids}
    assert verdicts["head a0.h3 is necessary for planted:or"] == "refuted"
    assert set(verdicts) == {"head a0.h2 is not needed for planted:or", "head a0.h3 is necessary for planted:or"}


def test_a_proposal_about_what_does_not_exist_is_left_out_and_said_so(proposed: tuple[Report, StandIn, list[str]]):
    assert any("a bystander" in remark and "not testable here" in remark for remark in proposed[0].remarks)
    assert not [claim for claim in proposed[0].claims if "a9.h9" in claim.components]


def test_the_llm_is_told_what_was_seen_and_registrations_disclose_it(proposed: tuple[Report, StandIn, list[str]]):
    told = proposed[1].requests[0]["messages"][-1]["content"]
    assert "a1.h0: harm" in told
    assert "Claimed already" in told
    assert any("openai:stand-in was told all of this" in seen for seen in proposed[2])


def test_its_tokens_are_in_the_report(proposed: tuple[Report, StandIn, list[str]]):
    usage = proposed[0].usage
    assert usage is not None
    assert (usage.calls, usage.input_tokens, usage.output_tokens) == (1, 900, 40)


def test_an_llm_that_fails_leaves_a_remark_and_the_investigation_goes_on(tmp_path: Path):
    report, _, _ = investigated(tmp_path / "home", [400])
    assert any("The llm proposed nothing" in remark for remark in report.remarks)
    assert report.supported()
    assert "sk-very-secret" not in report.model_dump_json()
