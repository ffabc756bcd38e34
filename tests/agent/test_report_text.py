import json

from agent.report import Report
from agent.report_text import report_json, report_markdown
from tests.agent.reports import claim, report


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_each_verdict_stands_in_its_own_section():
    text = report_markdown(report())
    assert "c2 is necessary" in section(text, "Refuted")
    assert "c3 is necessary" in section(text, "Open")
    assert "c4 is necessary" in section(text, "Not tested")
    assert "c1 is necessary" not in section(text, "Open")


def test_every_number_in_the_mechanism_names_its_result():
    assert "resample harm 0.36 [0.31, 0.41][^r:r1]" in section(report_markdown(report()), "Mechanism")


def test_a_claim_supported_alone_but_not_over_the_session_stays_open():
    text = report_markdown(report(claims=[claim("c1", "supported", q=0.2)]))
    assert "not over the 1 claims of this session (q = 0.200)" in section(text, "Open")


def test_how_many_prompts_would_settle_it_is_said():
    text = report_markdown(report(claims=[claim("c3", "inconclusive", missing=["C1: about 210 prompts would do"])]))
    assert "about 210 prompts" in section(text, "Open")


def test_the_literature_is_quoted_with_its_passage():
    assert "name movers copy [^p:pp1]" in section(report_markdown(report()), "Compared with the literature")


def test_json_comes_back_as_the_same_report():
    made = report()
    assert Report.model_validate(json.loads(report_json(made))) == made
