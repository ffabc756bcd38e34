"""Fusion: what outranks what, on hand-made candidates."""

from kb.fusion import Candidate, Gathered, Weights, credit, rank_documents


def gathered(**candidates):
    numbered = dict(enumerate(candidates.values(), start=1))
    return Gathered(korean=False, candidates=numbered, named=0)


def made(document, **found):
    values = {"trust": "high", "verification": "verified", **found}
    return Candidate(document_id=document, **values)


def order(found, canonical=lambda name: name, weights=None):
    return [document for document, _, _ in rank_documents(found, weights or Weights(), canonical)]


def test_trust_and_verification_decide_between_equals():
    found = gathered(
        a=made("retracted", cosine=0.6, verification="retracted"),
        b=made("verified", cosine=0.6),
        c=made("untrusted", cosine=0.6, trust="untrusted"),
    )
    assert order(found)[0] == "verified"
    assert order(found, weights=Weights(trust=0))[0] == "retracted"


def test_credit_never_takes_more_than_its_share():
    assert credit(made("x", trust="untrusted", verification="retracted"), 0.1) >= 0.9
    assert credit(made("x"), 0.1) == 1.0


def test_duplicates_count_for_their_canonical_note_and_are_not_shown():
    found = gathered(a=made("copy", cosine=0.9), b=made("main", cosine=0.3), c=made("other", cosine=0.8))
    ranked = rank_documents(found, Weights(), lambda name: "main" if name == "copy" else name)
    assert [entry[0] for entry in ranked] == ["main", "other"]
    assert ranked[0][2] == [2]


def test_duplicate_is_shown_when_the_canonical_note_has_no_passage():
    found = gathered(a=made("copy", cosine=0.9))
    assert rank_documents(found, Weights(), lambda name: "main")[0][2] == [1]


def test_a_list_of_sources_ranks_below_text_unless_it_holds_the_identifier():
    text, sources = made("a", cosine=0.5), made("b", cosine=0.55, apparatus=True)
    assert order(gathered(a=text, b=sources)) == ["a", "b"]
    exact = made("b", cosine=0.55, apparatus=True, exact=1.0)
    assert order(gathered(a=text, b=exact)) == ["b", "a"]
