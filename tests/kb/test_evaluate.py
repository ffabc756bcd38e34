"""Measures against hand-worked numbers; ablations on toy libraries; question files that are wrong."""

import json
import math

import pytest

from kb.errors import KbError
from kb.evaluate import Question, evaluate, measure, read_questions
from kb.fusion import Weights
from kb.search import Searcher

ASKED = "which heads copy the name they attend to exactly?"


class Rule:
    """Answers everything, or declines everything."""

    threshold = 0.5

    def __init__(self, *, answers):
        self.answers = answers

    def chance(self, evidence):
        return float(self.answers)


@pytest.fixture
def measured(library):
    """Evaluate questions on the library, which declines none or all of them."""

    def measured(*questions, answers=True, weights=None):
        embedder = library.embedder
        searcher = Searcher(library.store, library.dense, lambda: embedder, weights, Rule(answers=answers))
        return evaluate(searcher, questions)

    return measured


def test_measures_of_a_ranking():
    recall, share, reciprocal, gain = measure(["x", "a", "y", "b"], frozenset({"a", "b", "c"}))
    assert (recall, share, reciprocal) == (1.0, pytest.approx(2 / 3), 0.5)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert gain == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)


def test_nothing_found_is_zero():
    assert measure(["x"], frozenset({"a"})) == (0.0, 0.0, 0.0, 0.0)


def test_a_line_that_is_no_question_is_named(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"q": "fine", "keys": []}\n{"query": "wrong"}\n')
    with pytest.raises(KbError, match="line 2"):
        read_questions(tmp_path / "q.jsonl")


def test_report_has_every_leg_and_the_declines(starter, tmp_path):
    (tmp_path / "q.jsonl").write_text(
        '{"q": "what is an induction head?", "keys": ["induction-head"], "lang": "en"}\n'
        '{"q": "귀납 헤드란?", "keys": ["induction-head"], "lang": "ko"}\n'
        '{"q": "train times from Vienna to Prague on sunday", "keys": [], "lang": "en", "kind": "unanswerable"}\n'
    )
    report = starter.evaluate(tmp_path / "q.jsonl")
    assert report["fused"]["en"]["recall@5"] == report["fused"]["ko"]["recall@5"] == 1.0
    assert {"dense", "lexical", "without trust", "reciprocal ranks, equal weights"} <= set(report)
    assert report["declined"]["unanswerable"] == {"share": 1.0, "n": 1}


def test_unknown_key_is_an_error(starter, tmp_path):
    (tmp_path / "q.jsonl").write_text('{"q": "what?", "keys": ["no-such-note"]}\n')
    with pytest.raises(KbError, match="no-such-note"):
        starter.evaluate(tmp_path / "q.jsonl")


def test_evaluating_tells_ingest_and_disk(library, tmp_path):
    library.add_text("A copy head copies a token.", title="Copy head")
    (tmp_path / "q.jsonl").write_text('{"q": "which head copies a token?", "keys": ["Copy head"]}\n')
    report = json.loads(json.dumps(library.evaluate(tmp_path / "q.jsonl")))
    assert report["ingest"]["documents"] == 1
    assert report["disk_mb"] > 0


def test_folding_is_measured(library, write_notes, measured):
    vault = write_notes(
        {
            "main.md": "---\nid: main\n---\nAn entry about copying.",
            "dup.md": "---\nid: dup\nduplicate_of: main\n---\nCopy heads copy the name they attend to, exactly.",
        }
    )
    library.add(vault)
    report = measured(Question(q=ASKED, keys=("dup",)))
    assert report["fused"]["all"]["mrr"] == 1.0
    assert report["without folding"]["all"]["mrr"] < 1.0


ROWS = ("fused", "without trust", "without verification", "without trust and verification")


@pytest.mark.parametrize(
    ("trust", "verification", "first"),
    [
        (("high", "untrusted"), ("verified", "verified"), (True, False, True, False)),
        (("high", "high"), ("verified", "retracted"), (True, True, False, False)),
        (("high", "untrusted"), ("verified", "retracted"), (True, True, True, False)),
        (("high", "high"), ("verified", "verified"), (False, False, False, False)),
        ((None, None), (None, None), (False, False, False, False)),
    ],
)
def test_rows_without_trust_or_verification_differ_where_that_field_decides(
    library, write_notes, measured, trust, verification, first
):
    bodies = {
        "right": "Heads copy names, and some attend to exactly one.",
        "nearer": "Heads copy the name they attend to.",
    }
    notes = {}
    for name, level, status in zip(bodies, trust, verification, strict=True):
        stated = f"source_trust_level: {level}\nverification_status: {status}\n" if level else ""
        notes[f"{name}.md"] = f"---\nid: {name}\n{stated}---\n{bodies[name]}"
    library.add(write_notes(notes))
    report = measured(Question(q=ASKED, keys=("right",)), weights=Weights(trust=0.9))
    assert tuple(report[row]["all"]["mrr"] == 1.0 for row in ROWS) == first


def test_an_unanswerable_question_is_right_when_declined_though_it_carries_keys(library, measured):
    library.add_text("A copy head copies a token.", title="Copy head")
    carried = Question(q=ASKED, keys=("Copy head", "no-such-note"), kind="unanswerable")
    for answers, share in ((True, 0.0), (False, 1.0)):
        report = measured(carried, answers=answers)
        assert report["declined"]["unanswerable"] == {"share": share, "n": 1}
        assert report["declined"]["answerable"]["n"] == 0
        assert report["fused"] == {}


def test_keys_that_are_null_read_as_none(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"q": "a", "keys": null}\n{"keys": ["x"], "q": "b", "kind": "unanswerable"}\n')
    assert [question.keys for question in read_questions(tmp_path / "q.jsonl")] == [(), ()]


def test_keys_of_an_unanswerable_question_are_still_checked(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"q": "a", "keys": 3, "kind": "unanswerable"}\n')
    with pytest.raises(KbError, match="line 1"):
        read_questions(tmp_path / "q.jsonl")


def test_an_answerable_question_keeps_its_keys(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"keys": ["x"], "q": "b", "kind": "cross"}\n')
    assert read_questions(tmp_path / "q.jsonl")[0].keys == ("x",)
