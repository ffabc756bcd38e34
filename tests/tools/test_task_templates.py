"""Prompts from templates: aligned, balanced, reproducible, and never shared between explore and confirm."""

import copy

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.task_file import parse_task
from tools.task_spec import Draw
from tools.task_templates import TemplateDrawer

NAMES = ["Ann", "Bob", "Cat", "Dan", "Eve", "Fay", "Gus", "Hal", "Ida", "Jim", "Kim", "Lee"]
FILE = {
    "name": "toy-ioi",
    "kind": "templates",
    "title": "Toy",
    "description": "A toy.",
    "pools": {"name": NAMES},
    "variables": {"IO": "name", "S": "name"},
    "orders": {"ABBA": {"A": "IO", "B": "S"}, "BABA": {"A": "S", "B": "IO"}},
    "templates": {"met": "When {A} met {B}, {S} waved at", "saw": "Then {A} saw {B}. {S} bowed to"},
    "answer": " {IO}",
    "foil": " {S}",
    "corruptions": {"ABC": {"IO": "fresh", "S1": "fresh", "S2": "fresh"}, "S2": {"S2": "fresh"}},
    "extra_labels": ["S1+1"],
}
WORDS = ["When", "Then", " met", " saw", " waved", " at", " bowed", " to", ",", "."] + [f" {name}" for name in NAMES]


@pytest.fixture
def vocab(make_vocab):
    return make_vocab(WORDS)


@pytest.fixture
def task():
    return TemplateDrawer(parse_task(FILE, "test"))


def changed(**fields):
    return TemplateDrawer(parse_task({**copy.deepcopy(FILE), **fields}, "test"))


def test_labels_point_at_the_tokens_they_name(task, vocab):
    prompts = task.draw(vocab, Draw(8))
    for i, tokens in enumerate(prompts.clean_tokens):
        s1, s2 = prompts.position("S1")[i], prompts.position("S2")[i]
        assert tokens[s1] == tokens[s2] == prompts.foil[i] and s1 < s2
        assert tokens[prompts.position("IO")[i]] == prompts.answer[i]
        assert prompts.position("END")[i] == len(tokens) - 1
        assert prompts.position("S1+1")[i] == s1 + 1


def test_abc_corruption_changes_the_three_names_and_nothing_else(task, vocab):
    prompts = task.draw(vocab, Draw(8))
    for i, (clean, corrupted) in enumerate(zip(prompts.clean_tokens, prompts.corrupted_tokens, strict=True)):
        names = {int(prompts.position(label)[i]) for label in ("IO", "S1", "S2")}
        assert set(np.flatnonzero(clean != corrupted).tolist()) == names
        assert len({*clean[list(names)].tolist(), *corrupted[list(names)].tolist()}) == 5


def test_the_second_corruption_changes_only_s2(task, vocab):
    prompts = task.draw(vocab, Draw(4, corruption="S2"))
    for i, (clean, corrupted) in enumerate(zip(prompts.clean_tokens, prompts.corrupted_tokens, strict=True)):
        assert np.flatnonzero(clean != corrupted).tolist() == [prompts.position("S2")[i]]


def test_templates_and_orders_are_balanced(task, vocab):
    prompts = task.draw(vocab, Draw(16))
    cells = [prompts.template.count(t) for t in ("met", "saw")] + [prompts.order.count(o) for o in ("ABBA", "BABA")]
    assert cells == [8, 8, 8, 8]


def test_a_larger_draw_begins_with_the_smaller_one(task, vocab):
    few, many = task.draw(vocab, Draw(6, seed=3)), task.draw(vocab, Draw(20, seed=3))
    assert many.texts[:6] == few.texts
    assert many.subset(range(6)).sha256 == few.sha256


def test_other_seeds_give_other_prompts(task, vocab):
    assert task.draw(vocab, Draw(8, seed=0)).sha256 != task.draw(vocab, Draw(8, seed=1)).sha256


def test_explore_and_confirm_share_no_filler(task, vocab):
    words = {
        split: {
            w
            for seed in range(5)
            for p in [task.draw(vocab, Draw(30, split, seed))]
            for t in p.texts
            for w in t.split()
        }
        | {w for seed in range(5) for t in task.draw(vocab, Draw(30, split, seed)).corrupted_texts for w in t.split()}
        for split in ("explore", "confirm")
    }
    names = {split: {n for n in NAMES if any(n in w for w in words[split])} for split in words}
    assert not names["explore"] & names["confirm"]
    assert len(names["explore"]) == len(names["confirm"]) == 6


def test_hash_split_shares_no_text_on_either_side(vocab):
    task = changed(split="prompts")
    texts = {}
    for split in ("explore", "confirm"):
        drawn = [task.draw(vocab, Draw(40, split, seed)) for seed in range(6)]
        texts[split] = {t for p in drawn for t in (*p.texts, *p.corrupted_texts)}
    assert len(texts["explore"]) > 100 and not texts["explore"] & texts["confirm"]


def test_clean_texts_repeat_only_when_used_up_and_pairs_never(task, vocab):
    prompts = task.draw(vocab, Draw(150))
    assert len(set(prompts.texts[:60])) == 60
    assert len(set(zip(prompts.texts, prompts.corrupted_texts, strict=True))) == 150
    assert len(set(prompts.texts)) == 120


def test_a_whole_row_can_be_taken_from_another_variable(make_vocab):
    rows = [{"one": a, "two": b} for a, b in zip(NAMES[::2], NAMES[1::2], strict=True)]
    task = changed(
        pools={"pair": {"rows": rows}},
        variables={"X": "pair", "Y": "pair"},
        orders={"only": {}},
        templates={"met": "When {X.one} met {X.two}"},
        answer=" {X.one}",
        foil=" {Y.one}",
        corruptions={"other": {"X": "Y"}},
        extra_labels=[],
    )
    vocab = make_vocab(WORDS)
    prompts = task.draw(vocab, Draw(3))
    for i, text in enumerate(prompts.corrupted_texts):
        one = vocab.text(int(prompts.foil[i])).strip()
        assert text == f"When {one} met {NAMES[NAMES.index(one) + 1]}"


def test_more_prompts_than_exist_is_an_error(vocab):
    task = changed(pools={"name": NAMES[:8]}, corruptions={"S2": {"S2": "fresh"}})
    with pytest.raises(ExperimentError, match="too few different explore prompts"):
        task.draw(vocab, Draw(100))


def test_names_that_split_are_dropped_and_counted(task, make_vocab):
    missing = [w for w in WORDS if w not in (" Ann", " Bob")]
    drawn = [task.draw(make_vocab(missing), Draw(8, split)) for split in ("explore", "confirm")]
    assert sum("Ann" in note or "Bob" in note for p in drawn for note in p.notes) >= 1
    assert not any("Ann" in text or "Bob" in text for p in drawn for text in (*p.texts, *p.corrupted_texts))


def test_too_few_single_token_names_is_an_error(task, make_vocab):
    with pytest.raises(ExperimentError, match=r"needs 5 fillers from name .* and \d are"):
        task.draw(make_vocab([w for w in WORDS if w.strip() not in NAMES[:8]]), Draw(2))


def test_bos_is_added_only_where_the_tokenizer_adds_it_and_positions_move(task, make_vocab):
    plain, with_bos = task.draw(make_vocab(WORDS), Draw(4)), task.draw(make_vocab(WORDS, adds_bos=True), Draw(4))
    assert plain.bos is None and with_bos.bos is not None
    assert with_bos.clean_tokens[0][0] == with_bos.bos
    assert with_bos.position("S2").tolist() == (plain.position("S2") + 1).tolist()


def test_unknown_template_and_corruption_name_the_known_ones(task, vocab):
    with pytest.raises(ExperimentError, match="no template 'x'; it has met, saw"):
        task.draw(vocab, Draw(2, templates=("x",)))
    with pytest.raises(ExperimentError, match="no corruption 'x'; it has ABC, S2"):
        task.draw(vocab, Draw(2, corruption="x"))


def test_several_answers_become_a_difference_of_mean_logits(make_vocab):
    digits = [
        {"d": str(i), "above": [str(j) for j in range(i + 1, 10)], "below": [str(j) for j in range(i)]}
        for i in range(1, 9)
    ]
    task = changed(
        pools={"digit": {"rows": digits, "lead": ""}},
        variables={"D": "digit"},
        orders={"only": {}},
        templates={"met": "When 1{D} to 1"},
        answer="{D.above}",
        foil="{D.below}",
        corruptions={"other": {"D": "fresh"}},
        extra_labels=[],
    )
    prompts = task.draw(make_vocab(["When", " to", " 1"]), Draw(1))
    weights = prompts.readouts.weight
    assert len(weights) == 9
    assert weights[weights > 0].sum() == pytest.approx(1) and weights[weights < 0].sum() == pytest.approx(-1)
    assert not prompts.single_readout


def test_splitting_by_pools_needs_a_split_pool_in_every_template():
    with pytest.raises(ExperimentError, match="template met uses no split pool"):
        changed(pools={"name": {"rows": NAMES, "split": False}})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("answer", " {X}", r"\{X\} is no variable"),
        ("variables", {"IO": "person", "S": "name"}, "names the pool 'person'"),
        ("corruptions", {"ABC": {"IO2": "fresh"}}, "changes \\['IO2'\\]"),
        ("colour", "red", "colour: Extra inputs"),
    ],
)
def test_a_wrong_field_is_named(field, value, message):
    with pytest.raises(ExperimentError, match=message):
        changed(**{field: value})


def test_the_version_follows_the_content():
    assert changed(answer=" {S}").info.version != changed().info.version == changed().info.version
