"""Disagreements: opposite sentences on one thing, with what differs; restatements are none."""

import pytest

from kb.disagreements import disagreements, polarity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ablating the head lowers accuracy", "ablating the head raises accuracy"),
        ("induction heads are needed for it", "induction heads are not needed for it"),
        ("scores are stable across seeds", "scores are unstable across seeds"),
    ],
)
def test_opposites_are_seen(one, other):
    assert polarity(one, other)
    assert polarity(other, one)


def test_agreement_is_no_disagreement():
    assert not polarity("the head copies the name", "the head attends to the name and copies it")


def notes(one, other):
    return {
        "a.md": f"---\nid: a\n---\nStudy of induction heads.\n\n## Findings\n\n{one}\n",
        "b.md": f"---\nid: b\n---\nAnother study of induction heads.\n\n## Findings\n\n{other}\n",
    }


ONE = "Ablating induction heads removes few-shot accuracy in GPT-2 small under mean ablation."


def test_pair_is_shown_with_models_and_ablations_of_one_side(library, write_notes):
    library.add(
        write_notes(
            notes(ONE, "Ablating induction heads never removes few-shot accuracy in Pythia-1B under mean ablation.")
        )
    )
    (pair,) = library.disagreements("induction heads")
    assert {pair.one.document_id, pair.other.document_id} == {"a", "b"}
    sides = dict(zip((pair.one.document_id, pair.other.document_id), pair.models, strict=True))
    assert (sides["a"], sides["b"]) == (("GPT-2 small",), ("Pythia-1B",))
    assert library.quote(pair.one.passage_id, pair.one.start, pair.one.end) == pair.one.text


def test_restating_one_work_is_no_disagreement(library, write_notes):
    library.add(
        write_notes(notes(ONE, "[[a]]: ablating induction heads does not leave few-shot accuracy in GPT-2 small."))
    )
    assert library.disagreements("induction heads") == []


def pairs(library, write_notes, files, topic="induction heads"):
    library.add(write_notes(files))
    return [(pair.kind, pair.one.text, pair.other.text) for pair in library.disagreements(topic)]


def test_later_evidence_stands_against_the_finding_it_is_about(library, write_notes):
    later = (
        "Lead, not settled: ablating induction heads hardly moves few-shot accuracy in Pythia-1B (arXiv:2502.14010)."
    )
    note = f"---\nid: a\n---\nStudy of induction heads.\n\n## Findings\n\n- {ONE}\n- Sinks take most attention to first tokens.\n\n## Later evidence\n\n- {later}\n"
    assert pairs(library, write_notes, {"a.md": note}) == [("stated", ONE, later)]


def test_a_limit_is_against_the_finding_whose_figure_it_names(starter):
    found = starter.disagreements("indirect object identification circuit in GPT-2 small")
    (pair,) = [pair for pair in found if pair.other.text.startswith("The 87% is tied to one protocol")]
    assert "about 87% of the metric survives" in pair.one.text


def test_advice_is_no_finding(library, write_notes):
    files = notes(
        ONE, "Comparing induction heads without a mean ablation never shows few-shot accuracy in GPT-2 small."
    )
    assert pairs(library, write_notes, files) == []


def test_the_same_figure_is_a_restatement(library, write_notes):
    files = notes(
        "Ablating induction heads removes 39% of few-shot accuracy in GPT-2 small.",
        "Ablating induction heads removes 39% of few-shot accuracy in GPT-2 small, with no heads left.",
    )
    assert pairs(library, write_notes, files) == []


def test_a_negation_of_other_words_is_no_opposite():
    assert not polarity(
        "Adding probes to a pool of baselines brings no consistent gain.",
        "Autoencoders keep their value for noticing spurious correlations.",
    )


def sides(library, write_notes, one, other):
    """The pair of two findings, each with its document, straight from the documents: nothing is searched."""
    library.add(write_notes(notes(one, other)))
    sources = [(library.document(name), library.passages(name)) for name in ("a", "b")]
    (pair,) = disagreements(sources, library.embedder)
    assert (pair.one.document_id, pair.other.document_id) == ("a", "b")
    return pair


def test_metrics_that_only_one_side_names_are_shown_on_its_side(library, write_notes):
    pair = sides(
        library,
        write_notes,
        "Ablating induction heads removes few-shot accuracy and logit difference in GPT-2 small.",
        "Ablating induction heads never removes few-shot accuracy and perplexity in GPT-2 small.",
    )
    assert pair.metrics == (("logit difference",), ("perplexity",))
    assert (pair.models, pair.ablations) == (((), ()), ((), ()))


def test_ablations_that_only_one_side_names_are_shown_on_its_side(library, write_notes):
    pair = sides(
        library,
        write_notes,
        "Ablating induction heads removes few-shot accuracy in GPT-2 small under mean ablation.",
        "Ablating induction heads never removes few-shot accuracy in GPT-2 small under resample ablation.",
    )
    assert [[kind.split()[0] for kind in side] for side in pair.ablations] == [["mean"], ["resample"]]
    assert (pair.models, pair.metrics) == (((), ()), ((), ()))


def test_what_both_sides_name_in_another_case_explains_nothing(library, write_notes):
    pair = sides(
        library,
        write_notes,
        "Ablating induction heads removes Accuracy in GPT-2 small under Mean ablation.",
        "Ablating induction heads never removes accuracy in GPT-2 small under mean ablation.",
    )
    assert (pair.models, pair.metrics, pair.ablations) == (((), ()), ((), ()), ((), ()))


CLAIMS = """---
id: {id}
title: {title}
claims:
  - claim: {claim}
    task: IOI
    component: {component}
    intervention: mean-ablate them
    expected: the logit difference falls
    refuted_if: it does not
---
A note.
"""


def test_claims_are_filtered_by_component(library, write_notes):
    made = {
        "a": ("Movers copy", "heads 9.9, 9.6"),
        "b": ("The name is written late", "name mover heads"),
        "c": ("The MLP reads it", "MLP 0"),
    }
    library.add(
        write_notes(
            {f"{key}.md": CLAIMS.format(id=key, title=key, claim=c, component=p) for key, (c, p) in made.items()}
        )
    )

    def found(component, **more):
        return {claim.document_id for claim in library.claims(component=component, **more)}

    assert found("heads 9.9") == {"a"}
    assert found("Name-Mover") == {"b"}
    assert found("MLP") == {"c"}
    assert found("movers") == {"a"}  # a claim that speaks of the part counts, too
    assert found("head 3.3") == set()
    assert found("mean-ablate") == set()  # an intervention is no component
    assert found("MLP", task="induction") == set()
