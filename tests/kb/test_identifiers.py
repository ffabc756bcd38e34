"""Exact identifiers, found in any spelling and not where a number is meant."""

import pytest

from kb.identifiers import identifiers


@pytest.mark.parametrize(
    "text", ["a9.h6", "L9H6", "layer 9, head 6", "head 6 of layer 9", "head 9.6", "9번 층의 6번 헤드"]
)
def test_a_head_in_any_spelling(text):
    assert "a9.h6" in identifiers(text)


def test_lists_of_heads():
    assert identifiers("name movers 9.9, 9.6 and 10.0") == ["a9.h9", "a9.h6", "a10.h0"]


@pytest.mark.parametrize("text", ["F(M)=3.56 for the circuit", "accuracy 0.90 and 1.5B", "the head keeps 9.9% of it"])
def test_numbers_are_no_heads(text):
    assert identifiers(text) == []


def test_arxiv_id_with_version():
    assert identifiers("see arXiv:2211.00593v2.") == ["arxiv:2211.00593"]


def test_hook_names():
    assert identifiers("blocks.5.attn.hook_z") == ["hook_z"]
