"""Prompts: never padded, aligned, hashed, and measured the same however they are grouped."""

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.prompts import NO_FOIL, Prompts, Readouts, single_readouts


def ids(*numbers):
    return np.array(numbers, np.int64)


@pytest.fixture
def prompts():
    return Prompts(
        task="toy",
        task_version="1",
        corruption="swap",
        split="explore",
        seed=0,
        clean_tokens=(ids(1, 2, 3), ids(4, 5), ids(6, 7, 8), ids(9, 1)),
        corrupted_tokens=(ids(1, 9, 3), ids(4, 6), ids(6, 9, 8), ids(9, 2)),
        template=("long", "short", "long", "short"),
        order=("x",) * 4,
        positions={"END": ids(2, 1, 2, 1), "S": ids(1, -1, 1, -1)},
        readouts=single_readouts(ids(2, 1, 2, 1), ids(1, 2, 3, 4), ids(5, 6, 7, 8)),
    )


def test_groups_hold_equal_lengths_and_cover_every_row(prompts):
    groups = list(prompts.groups())
    assert [g.rows.tolist() for g in groups] == [[1, 3], [0, 2]]
    assert groups[1].clean.tolist() == [[1, 2, 3], [6, 7, 8]]
    assert groups[1].readouts.answer.tolist() == [1, 3]
    assert groups[1].readouts.row.tolist() == [0, 1]


def test_groups_respect_the_row_limit(prompts):
    assert [len(g.rows) for g in prompts.groups(max_rows=1)] == [1, 1, 1, 1]


def test_subset_follows_the_order_given(prompts):
    some = prompts.subset([2, 0])
    assert some.answer.tolist() == [3, 1]
    assert some.position("S").tolist() == [1, 1]
    assert some.clean_tokens[0].tolist() == [6, 7, 8]


def test_a_row_out_of_range_is_refused(prompts):
    with pytest.raises(ExperimentError, match="rows must lie in 0 to 3"):
        prompts.subset([4])


def test_a_label_missing_in_one_template_is_not_read_as_the_last_token(prompts):
    with pytest.raises(ExperimentError, match="missing in template 'short'"):
        prompts.position("S")


def test_an_unknown_label_names_the_known_ones(prompts):
    with pytest.raises(ExperimentError, match="END, S"):
        prompts.position("IO")


def test_unaligned_pairs_are_refused(prompts):
    with pytest.raises(ExperimentError, match="clean has 3 tokens and corrupted 2"):
        prompts.__class__(**{**prompts.__dict__, "corrupted_tokens": (ids(1, 9), *prompts.corrupted_tokens[1:])})


def test_the_hash_changes_with_a_token_and_with_a_foil(prompts):
    other_token = prompts.__class__(**{**prompts.__dict__, "clean_tokens": (ids(1, 2, 4), *prompts.clean_tokens[1:])})
    other_foil = prompts.__class__(
        **{**prompts.__dict__, "readouts": single_readouts(ids(2, 1, 2, 1), ids(1, 2, 3, 4), ids(5, 6, 7, 9))}
    )
    assert len({prompts.sha256, other_token.sha256, other_foil.sha256}) == 3


def test_readouts_weigh_sum_and_leave_out_missing_foils():
    readouts = Readouts(ids(0, 0, 1), ids(0, 1, 1), ids(0, 1, 2), ids(1, 0, NO_FOIL), np.array([0.5, 0.5, -1.0]))
    logits = np.arange(12.0).reshape(2, 2, 3) ** 2
    expected = [
        0.5 * (logits[0, 0, 0] - logits[0, 0, 1]) + 0.5 * (logits[0, 1, 1] - logits[0, 1, 0]),
        -logits[1, 1, 2],
    ]
    assert readouts.of_logits(logits, 2).tolist() == expected


def test_keeping_templates_drops_the_other_rows(prompts):
    assert prompts.keep_templates(["short"]).template == ("short", "short")
    with pytest.raises(ExperimentError, match="no prompt has template"):
        prompts.keep_templates(["medium"])


def test_several_readouts_per_row_have_no_single_answer(prompts):
    two = prompts.__class__(
        **{
            **prompts.__dict__,
            "readouts": Readouts(
                ids(0, 0, 1, 2, 3), ids(0, 1, 0, 0, 0), ids(1, 1, 1, 1, 1), ids(2, 2, 2, 2, 2), np.ones(5)
            ),
        }
    )
    with pytest.raises(ExperimentError, match="no one answer token"):
        _ = two.answer
