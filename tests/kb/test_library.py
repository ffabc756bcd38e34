"""The library's door: search, quotations, summaries, claims, declines; light to import."""

import subprocess
import sys

import pytest

from kb.errors import KbError, NotVerbatimError, UnknownNameError
from kb.library import Library


def test_importing_and_searching_needs_no_torch(tmp_path, minilm_folder):
    script = (
        "import sys; from pathlib import Path; from kb.library import Library\n"
        "assert 'chromadb' not in sys.modules and 'onnxruntime' not in sys.modules\n"
        f"library = Library.open(Path({str(tmp_path)!r}), embedder_folder=Path({str(minilm_folder)!r}))\n"
        "library.add_text('Induction heads copy repeated patterns.')\n"
        "assert library.search('what do induction heads copy?').hits\n"
        "heavy = {'torch', 'transformers', 'transformer_lens', 'sentence_transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_every_hit_is_verbatim_in_its_document(starter):
    for hit in starter.search("which heads copy the name in IOI?").hits:
        assert starter.document(hit.document_id).text[hit.start : hit.end] == hit.text
        assert starter.quote(hit.passage_id) == hit.text


def test_quote_outside_the_passage_is_refused(starter):
    hit = starter.search("induction head").hits[0]
    with pytest.raises(NotVerbatimError, match="not a span"):
        starter.quote(hit.passage_id, 0, len(hit.text) + 1)


def test_a_quotation_must_be_verbatim(starter):
    hit = starter.search("induction head").hits[0]
    start, end = starter.locate(hit.passage_id, hit.text[3:40])
    assert hit.text[start:end] == hit.text[3:40].strip()
    with pytest.raises(NotVerbatimError, match="not verbatim"):
        starter.locate(hit.passage_id, hit.text[3:20] + " invented")


def test_unknown_passage_says_what_happened(starter):
    with pytest.raises(UnknownNameError, match="changed or removed"):
        starter.passage("0" * 20)


def test_head_name_finds_passages_that_hold_it_in_another_spelling(starter):
    hits = starter.search("what does L10H7 do in GPT-2 small?").hits
    assert "copy-suppression-2023" in [hit.document_id for hit in hits[:3]]
    assert any(hit.legs.exact for hit in hits)


def test_arxiv_id_finds_its_paper(starter):
    assert starter.search("2211.00593").hits[0].document_id == "ioi-wang-2022"


def test_nonsense_is_declined_in_a_sentence(starter):
    result = starter.search("train times from Vienna to Prague on sunday")
    assert (result.declined, result.hits) == (True, ())
    assert result.sentence.startswith("The library does not say")


def test_empty_question_is_an_error(starter):
    with pytest.raises(KbError, match="empty"):
        starter.search("  ")


def test_summary_of_a_paper_is_cited_sentence_by_sentence(starter):
    summary = starter.summarise("ioi-wang-2022")
    parts = [*summary.question, *summary.method, *summary.findings, *summary.limits, *summary.korean]
    assert all((summary.question, summary.method, summary.findings, summary.limits, summary.korean, summary.tests))
    assert all(starter.quote(cited.passage_id, cited.start, cited.end) == cited.text for cited in parts)
    assert any("26 heads" in cited.text for cited in summary.findings)


def test_summary_of_a_topic_draws_on_several_documents(starter):
    assert len(starter.summarise("how faithful are circuits under ablation").document_ids) > 1


def test_definition_is_the_concepts_opening_line(starter):
    found = starter.define("귀납 헤드")
    assert found.document_id == "induction-head"
    assert found.sentences[0].text.startswith("Attention head that continues repeated patterns")


def test_claims_are_filtered_by_words(starter):
    claims = starter.claims(task="IOI", model="GPT-2 small")
    assert {"ioi-wang-2022"} <= {claim.document_id for claim in claims}
    assert all(claim.refuted_if for claim in claims)
    assert len(starter.claims()) > len(claims)


def test_reading_an_empty_library_is_no_error(library):
    assert library.documents() == []
    assert "library build" in library.search("anything").sentence


def test_records_survive_json(starter):
    result = starter.search("superposition")
    assert type(result).model_validate_json(result.model_dump_json()) == result


def test_an_embedder_that_fails_in_a_search_is_heard(tmp_path, make_embedder):
    """The question is embedded beside the word search: its error must not get lost there."""
    embedder = make_embedder()
    with Library.open(tmp_path / "home", embedder=embedder) as library:
        library.add_text("Copy heads copy.", title="Copy head")
        embedder.embed = _out_of_memory
        with pytest.raises(MemoryError, match="no room"):
            library.search("what does a copy head do")


def _out_of_memory(_texts):
    raise MemoryError("no room")
