"""Words that are no name of a document lead to the one they mean, or to none."""

import pytest

from kb.errors import UnknownNameError


@pytest.mark.parametrize(
    ("words", "kind", "document"),
    [
        ("the IOI paper", None, "ioi-wang-2022"),
        ("IOI 논문", None, "ioi-wang-2022"),
        ("Conmy et al. 2023", None, "acdc-conmy-2023"),
        ("arXiv:2304.14997", None, "acdc-conmy-2023"),
        ("https://arxiv.org/abs/2211.00593v2", None, "ioi-wang-2022"),
        ("SAE 시드 논문", None, "sae-seeds-paulo-2025"),
        ("유도 헤드 논문", None, "induction-heads-olsson-2022"),
        ("greater-than", "paper", "greater-than-hanna-2023"),
        ("greater-than", "concept", "greater-than-circuit"),
        ("중첩(superposition)", "concept", "superposition"),
        ("induction heads", None, "induction-head"),
        ("EAP-IG", None, "eap-ig-method"),
    ],
)
def test_what_is_meant(starter, words, kind, document):
    assert starter.find(words, kind=kind).id == document


@pytest.mark.parametrize("words", ["Nanda 2023", "attention", "how faithful are circuits under ablation"])
def test_several_documents_or_none_are_no_answer(starter, words):
    with pytest.raises(UnknownNameError):
        starter.find(words)
