"""Measures against hand-worked numbers; question files that are wrong."""

import math

import pytest

from kb.errors import KbError
from kb.evaluate import measure, read_questions


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


def test_folding_is_measured(library, write_notes, tmp_path):
    vault = write_notes(
        {
            "main.md": "---\nid: main\n---\nAn entry about copying.",
            "dup.md": "---\nid: dup\nduplicate_of: main\n---\nCopy heads copy the name they attend to, exactly.",
        }
    )
    library.add(vault)
    (tmp_path / "q.jsonl").write_text('{"q": "which heads copy the name they attend to exactly?", "keys": ["dup"]}\n')
    report = library.evaluate(tmp_path / "q.jsonl")
    assert report["without declines"]["all"]["mrr"] == 1.0
    assert report["without folding"]["all"]["mrr"] < 1.0
