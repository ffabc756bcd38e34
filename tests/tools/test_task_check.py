"""A user's task file: every failing row is named with its reason, and a good one can be drawn."""

import json
from importlib.resources import files

import pytest
import yaml

from tools.errors import ExperimentError
from tools.task_check import check_task
from tools.task_spec import Draw
from tools.tasks import find_task

WORDS = ["Ann", "Bob", "Cat", " Ann", " Bob", " Cat", " likes", " and", " so", " loves", " very", " much"]
GOOD = {"clean": "Ann likes Bob and", "corrupted": "Ann likes Cat and", "answer": " Ann", "foil": " Cat"}


@pytest.fixture
def vocab(make_vocab):
    return make_vocab(WORDS)


def table(tmp_path, rows, name="pairs.jsonl"):
    path = tmp_path / name
    if name.endswith(".csv"):
        path.write_text("clean,corrupted,answer,foil\n" + "\n".join(rows) + "\n", encoding="utf-8")
    else:
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def problems(path, vocab):
    return {one.row: one.text for one in check_task(path, vocab).problems}


def test_each_failing_row_is_named_with_its_reason(tmp_path, vocab):
    rows = [
        GOOD,
        {**GOOD, "corrupted": "Ann likes Cat very much and"},
        {**GOOD, "answer": " Zebra"},
        {**GOOD, "corrupted": GOOD["clean"]},
        {**GOOD, "foil": " Ann"},
        {"clean": "Ann"},
        "not json",
        GOOD,
    ]
    found = problems(table(tmp_path, rows), vocab)
    assert sorted(found) == [2, 3, 4, 5, 6, 7, 8]
    assert "clean is 4 tokens and corrupted 6" in found[2]
    assert "' Zebra' is 6 tokens" in found[3] and "identical" in found[4] and "same token" in found[5]
    assert "corrupted: Field required" in found[6] and "not JSON" in found[7] and "repeats row 1" in found[8]


def test_a_forgotten_leading_space_is_pointed_out(tmp_path, make_vocab):
    vocab = make_vocab([w for w in WORDS if w != "Bob"])
    found = problems(table(tmp_path, [{**GOOD, "foil": "Bob"}]), vocab)
    assert "' Bob' with its leading space is one" in found[1]


def test_csv_rows_are_counted_without_the_header(tmp_path, vocab):
    path = table(
        tmp_path, ["Ann likes Bob and,Ann likes Cat and, Ann, Cat", "Ann likes,Ann likes,Ann,Bob"], "pairs.csv"
    )
    assert list(problems(path, vocab)) == [2]


def test_token_ids_need_no_tokenizer_but_must_exist(tmp_path, vocab):
    row = {"clean_ids": [2, 3], "corrupted_ids": [2, 4], "answer_id": 5, "foil_id": 6}
    path = table(tmp_path, [row, {**row, "clean_ids": [2, 99999]}])
    assert problems(path, None) == {}
    assert "99999 does not exist" in problems(path, vocab)[2]


def test_text_without_a_tokenizer_is_refused(tmp_path):
    assert "no tokenizer" in problems(table(tmp_path, [GOOD]), None)[1]


def test_a_good_table_is_a_task_whose_splits_share_no_prompt(tmp_path, vocab):
    names = ["Ann", "Bob", "Cat"]
    rows = [
        {"clean": f"{a}{verb} {b}{end}", "corrupted": f"{a}{verb} {c}{end}", "answer": f" {b}", "foil": f" {c}"}
        for a in names
        for b in names
        for c in names
        for verb in (" likes", " loves")
        for end in (" and", " so", " very", " much")
        if b != c
    ]
    path = table(tmp_path, rows)
    assert check_task(path, vocab).passed
    task = find_task(str(path))
    texts = {}
    for split in ("explore", "confirm"):
        prompts = task.draw(vocab, Draw(12, split))
        texts[split] = {*prompts.texts, *prompts.corrupted_texts}
    assert not texts["explore"] & texts["confirm"]
    with pytest.raises(ExperimentError, match="ask for at most"):
        task.draw(vocab, Draw(1000))


def test_a_yaml_file_is_drawn_in_every_template_and_split(tmp_path, vocab):
    spec = {
        "name": "mine",
        "kind": "templates",
        "title": "Mine",
        "description": "Mine.",
        "pools": {"name": ["Ann", "Bob", "Cat", "Zebra"]},
        "variables": {"A": "name", "B": "name"},
        "templates": {"x": "so {A} likes {B} and"},
        "answer": " {A}",
        "foil": " {B}",
        "corruptions": {"swap": {"A": "B"}},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(spec), encoding="utf-8")
    report = check_task(path, vocab)
    assert report.notes == ("name, row 4: Zebra is several tokens here and is left out",)
    assert any("needs 2 fillers" in one.text or "too few different" in one.text for one in report.problems)
    assert check_task(path, None).passed


def test_a_wrong_field_in_yaml_is_a_problem_and_not_a_crash(tmp_path, vocab):
    path = tmp_path / "bad.yaml"
    path.write_text("name: bad\nkind: templates\n", encoding="utf-8")
    report = check_task(path, vocab)
    assert not report.passed and "title: Field required" in report.problems[0].text
    assert report.to_json()["problems"][0]["row"] == 0


def test_other_files_are_refused(tmp_path, vocab):
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ExperimentError, match=r"use \.yaml"):
        check_task(tmp_path / "notes.txt", vocab)
    with pytest.raises(ExperimentError, match="there is no file"):
        check_task(tmp_path / "none.csv", vocab)


@pytest.mark.smollm2
@pytest.mark.parametrize("name", ["ioi", "docstring", "induction"])
def test_packaged_tasks_pass_their_own_check(name, smollm2_vocab):
    assert check_task(files("tools") / "task_files" / f"{name}.yaml", smollm2_vocab).passed
