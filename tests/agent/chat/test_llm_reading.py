"""A sentence that the parser cannot read is read by the llm over real HTTP: fields, one correction, or a question back."""

import pytest
from pydantic import SecretStr

from agent.chat.reading import Reader
from agent.claims import Claim
from agent.errors import ClaimError, LlmError, UnreadError
from agent.usage import Meter, Rates
from tests.agent.chat.conftest import Chat
from tests.agent.chat.standin import Reply, StandIn, standin
from tests.agent.chat.test_llm_turn import configured
from tests.agent.running import MODEL, TASK, ended, running_court

SAID = "knock out layer one, head zero and the repeats go wrong"
FIELDS = {"type": "necessity", "components": ["a1.h0"]}


def read(chat: Chat, script: list[Reply], said: str = SAID) -> tuple[Claim, StandIn]:
    with standin(script, tokens=(10, 1)) as server:
        llm, name = configured(chat, server.url)
        reader = Reader(llm, name, Meter(Rates(), chat.toolbox.emit))
        return reader.read(said, model=MODEL, task=TASK, shape=None, tasks=["ioi"]), server


def test_the_llm_fills_the_fields_and_the_call_is_counted(chat: Chat):
    claim, server = read(chat, [[("ClaimFields", FIELDS)]])
    assert claim.text == "head a1.h0 is necessary for planted:induction"
    assert [payload["calls"] for kind, payload in chat.events if kind == "usage"] == [1]
    assert SAID in server.requests[0]["messages"][-1]["content"]
    assert "head-role" in server.requests[0]["messages"][0]["content"]


def test_fields_that_make_no_claim_are_corrected_once(chat: Chat):
    claim, server = read(chat, [[("ClaimFields", {**FIELDS, "type": "vital"})], [("ClaimFields", FIELDS)]])
    assert claim.type == "necessity"
    assert "No claim type is called 'vital'" in server.requests[1]["messages"][-1]["content"]


def test_a_component_made_up_twice_becomes_a_question(chat: Chat):
    invented: Reply = [("ClaimFields", {**FIELDS, "components": ["a2.h3"]})]
    with pytest.raises(ClaimError, match="Which component is meant"):
        read(chat, [invented, invented])


def test_a_question_of_the_llm_is_asked_back_at_once(chat: Chat):
    with pytest.raises(ClaimError, match="Which of them"):
        read(chat, [[("ClaimFields", {"question": "Which of them do you mean?"})]])


def test_words_instead_of_fields_are_no_answer(chat: Chat):
    with pytest.raises(LlmError, match="gave no usable answer"):
        read(chat, ["It is necessary.", "Really."])


def test_without_an_llm_an_unread_sentence_is_asked_back(chat: Chat):
    with pytest.raises(UnreadError, match="Which component is this about"):
        chat.toolbox.court.verify(SAID)


def test_a_sentence_is_read_shown_registered_and_tried_in_that_order(tmp_path):
    with standin([[("ClaimFields", FIELDS)]], tokens=(10, 1)) as server:
        settings = {"llm": "openai:stand-in", "llm_base_url": server.url, "llm_api_key": SecretStr("sk-very-secret")}
        with running_court(tmp_path / "home", **settings) as (court, _):
            assert court.stored_verdict(SAID) is None
            run_id = court.verify(SAID)
            events = ended(court, run_id)
            run = court.run(run_id)
            assert run.status == "done", run.error
            kinds = [event.kind for event in events]
            assert kinds.index("usage") < kinds.index("read") < kinds.index("registered") < kinds.index("verdict")
            shown = next(event.payload for event in events if event.kind == "read")
            assert shown == {
                "said": SAID,
                "claim": "head a1.h0 is necessary for planted:induction",
                "llm": "openai:stand-in",
            }
            assert court.claim((run.outcome or {})["claim_id"]).verdict == "supported"
            log = (court.config.logs_dir / "worker.log").read_text(encoding="utf-8")
    assert server.headers[0]["authorization"] == "Bearer sk-very-secret"
    assert "sk-very-secret" not in log
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"sk-very-secret" in path.read_bytes()]
