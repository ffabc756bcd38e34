"""Which sentence of a document goes into which part of its summary."""

NOTE = """---
id: probe-note
title: Negative Results about Finding Things
kind: paper
---
One line about probes in small models.

> [!summary] 한국어
> 이 논문의 질문은 프로브가 무엇을 보이는가이다. 정확도는 97% 였다.

## Key ideas
- Question: does a probe's accuracy say that the model uses what it reads?
- Method: linear probes on every layer of a two-layer model.
- Related notes: [[probing]], [[superposition]].

## Findings
- Accuracy reaches 97% in layer 1, and ablating the direction changes nothing.
"""


def summary(library, write_notes, note=NOTE):
    library.add(write_notes({"a.md": note}))
    return library.summarise("probe-note")


def said(sentences):
    return [cited.text for cited in sentences]


def test_a_title_with_results_in_it_is_no_findings_section(library, write_notes):
    assert said(summary(library, write_notes).findings) == [
        "Accuracy reaches 97% in layer 1, and ablating the direction changes nothing."
    ]


def test_a_sentence_that_calls_itself_a_question_is_one(library, write_notes):
    found = summary(library, write_notes)
    assert "Question: does a probe's accuracy say that the model uses what it reads?" in said(found.question)
    assert said(found.method) == ["Method: linear probes on every layer of a two-layer model."]


def test_a_korean_summary_is_not_taken_apart_by_cue_words(library, write_notes):
    found = summary(library, write_notes, NOTE.replace("## Findings", "## Numbers"))
    assert said(found.findings) == ["Accuracy reaches 97% in layer 1, and ablating the direction changes nothing."]
    assert len(found.korean) == 2


def test_an_anti_pattern_says_why_it_fails_and_what_to_run(starter):
    found = starter.summarise("anti-pattern-attention-map-is-conclusion")
    assert any("path-patching" in text for text in said(found.method))
    assert any(text.startswith("Half the head is missing") for text in said(found.findings))
    assert any(text.startswith("Plot the heads") for text in said(found.limits))


def test_the_rest_of_a_sentence_cut_by_a_passage_is_left_out(starter):
    found = starter.summarise("ioi-wang-2022")
    assert not any(text.startswith("`a10.h1`") for text in said(found.method))


def test_every_starter_note_has_a_question_and_findings_in_its_own_language(starter):
    for line in starter.documents():
        found = starter.summarise(line.id)
        assert found.question, line.id
        assert not [text for text in said((*found.question, *found.findings)) if "이다." in text], line.id


PAPER = """# Copying heads in small models

## Abstract
Models copy names. We study which heads do so. We find that four heads account for 82% of the effect.

## 3 Results
Figure 1: effects by head, in percent of the whole.
{filler}
Joint ablation lowers the logit difference by 71%.

## References
We find 26 heads, says another paper.
"""


def test_a_paper_leads_with_what_it_asks_and_found(library, tmp_path):
    path = tmp_path / "paper.md"
    filler = "\n".join(f"This sentence describes the setting, part {word}." for word in "abcdefghijkl")
    path.write_text(PAPER.format(filler=filler), encoding="utf-8")
    library.add(path)
    found = library.summarise("Copying heads in small models")
    assert said(found.question)[0] == "We study which heads do so."
    assert said(found.findings)[0] == "We find that four heads account for 82% of the effect."
    assert said(found.findings)[-1] == "Joint ablation lowers the logit difference by 71%."
    assert not any(text.startswith("Figure 1") or "another paper" in text for text in said(found.findings))
