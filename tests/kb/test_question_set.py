"""The library on its own question set, with the packaged embedder: the half that nothing was fitted on."""

import json
from collections import Counter
from pathlib import Path

import pytest

from kb.evaluate import read_questions
from kb.library import Library

QUESTIONS = Path(__file__).resolve().parents[2] / "benchmarks" / "questions.jsonl"


@pytest.fixture(scope="module")
def report(tmp_path_factory, minilm):
    folder = tmp_path_factory.mktemp("evaluated")
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    half = [line for line in lines if json.loads(line)["half"] == "report"]
    (folder / "report.jsonl").write_text("\n".join(half), encoding="utf-8")
    with Library.open(folder / "home", embedder=minilm) as library:
        library.build_starter()
        return library.evaluate(folder / "report.jsonl")


def test_question_set_is_large_bilingual_and_split():
    questions = read_questions(QUESTIONS)
    assert len(questions) >= 160
    assert 4 * sum(question.lang == "ko" for question in questions) >= len(questions)
    assert 4 * sum(question.kind in ("reworded", "cross") for question in questions) >= len(questions)
    assert sum(not question.keys for question in questions) >= 90
    halves = Counter(question.half for question in questions)
    assert abs(halves["fit"] - halves["report"]) <= 4


@pytest.mark.parametrize(("group", "least"), [("en", 0.92), ("ko", 0.85), ("cross", 0.80)])
def test_recall_on_the_reported_half(report, group, least):
    assert report["fused"][group]["recall@5"] >= least


@pytest.mark.parametrize("leg", ["dense", "lexical"])
@pytest.mark.parametrize("group", ["en", "ko", "cross"])
def test_fused_is_at_least_as_good_as_either_leg_with_its_wrong_declines_counted(report, leg, group):
    assert report["fused"][group]["recall@5"] >= report[leg][group]["recall@5"]


def test_declines_half_of_the_unanswerable_and_hardly_any_other(report):
    assert report["declined"]["unanswerable"]["share"] >= 0.5
    assert report["declined"]["answerable"]["share"] <= 0.015
