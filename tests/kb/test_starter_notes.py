"""Starter notes are in step with the facts: schema, links, facts, sources; their text is not copied."""

import json
import re
from pathlib import Path

import pytest

from kb.notes import parse_note
from kb.starter_notes import NOTES, asked, complete, facts, note_files

KEYS = list(facts())
QUESTIONS = Path(__file__).resolve().parents[2] / "benchmarks" / "questions.jsonl"


def body(key):
    return (NOTES / f"{key}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_note_is_in_step_with_its_facts(key):
    assert complete(facts()[key], parse_note(body(key), key).text) == body(key)


def test_there_is_a_note_for_every_fact_and_no_other():
    assert sorted(path.stem for path in NOTES.glob("*.md")) == sorted(KEYS)
    assert len(KEYS) == 139


def test_no_note_has_a_problem():
    problems = {path.name: parse_note(path.read_text(encoding="utf-8"), path.name).problems for path in note_files()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_every_link_leads_to_a_note():
    known = {path.stem for path in note_files()}
    links = {
        (path.stem, link.target)
        for path in note_files()
        for link in parse_note(path.read_text(encoding="utf-8"), path.name).links
    }
    assert {link for link in links if link[1] not in known} == set()


def test_every_note_says_one_line_and_a_korean_summary():
    for path in NOTES.glob("*.md"):
        text = parse_note(path.read_text(encoding="utf-8"), path.name).text
        opening = re.sub(r"^# .*\n+", "", text).split("\n", 1)[0]
        assert 20 <= len(opening) <= 200, path.name
        assert re.search(r"> \[!summary\] 한국어\n> .*[가-힣]", text), path.name


def test_testable_claims_are_in_the_front_matter():
    found = parse_note(body("ioi-wang-2022"), "x").front.claims
    assert [claim.claim for claim in found] == [claim["claim"] for claim in facts()["ioi-wang-2022"]["claims_testable"]]


def test_recalled_facts_are_marked():
    for key, entry in facts().items():
        status = parse_note(body(key), key).front.verification_status
        if entry["confidence"] == "recall":
            assert status == "unverified", key
        elif "[recall]" in str(entry):
            assert status == "partially-verified", key
            assert "unverified" in parse_note(body(key), key).text, key
        else:
            assert status == "verified", key


def test_later_evidence_is_a_lead():
    for key, entry in facts().items():
        for item in re.findall(r"## Later evidence\n(.*?)(?:\n## |\Z)", body(key), re.DOTALL):
            assert "Lead, not settled:" in item, key
        assert not entry.get("later_evidence") or "## Later evidence" in body(key), key


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def runs(text, length):
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


@pytest.mark.parametrize("key", KEYS)
def test_sentences_are_not_copied_from_the_facts(key):
    entry = facts()[key]
    told = [entry.get(name, "") for name in ("key_findings", "limitations", "definition", "pitfalls")]
    prose = re.sub(
        r"(?<!\w)['\"].{3,200}?['\"](?!\w)|\d[\d,.%]*", " | ", str(told)
    )  # prompts and figures stay as they are
    text = parse_note(body(key), key).text.split("\n## Links")[0]
    titles = " ".join(other.get("title", "") for other in facts().values())
    assert runs(text, 9) & runs(prose, 9) - runs(titles, 9) - runs(entry.get("formula", ""), 9) == set()


def test_how_a_note_may_be_asked_for_is_not_taken_from_the_question_set():
    questions = [json.loads(line)["q"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    taken = set().union(*(runs(question, 5) for question in questions))
    shared = {phrase for phrases in asked().values() for phrase in phrases if runs(phrase, 5) & taken}
    assert shared == set()
