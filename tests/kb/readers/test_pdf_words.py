"""Words of papers: Korean titles and people, words cut at line ends (Helvetica has no Hangul, so not through a PDF)."""

import pytest

from kb.readers.pdf_front import names_in
from kb.readers.pdf_headings import Headings
from kb.readers.pdf_words import Joiner


@pytest.mark.parametrize(
    "title", ["요 약", "Ⅰ. 서 론", "제 2장 연구사", "2.1 영역 분할", "Ⅲ. 실험 및 결과", "참 고 문 헌", "1. 방법론"]
)
def test_korean_section_titles_are_headings(title):
    assert Headings(10.0).is_heading(title, 11.5, at_edge=False)


@pytest.mark.parametrize(
    "line",
    [
        "3개 층을 실험하였다",
        "2 헤드를 모두 지우면 정확도가 떨어진다",
        "1 가나다라 마바사 아자차카 타파하 가나다라 마바사 아자차카",
    ],
)
def test_korean_sentences_are_no_headings(line):
    assert not Headings(10.0).is_heading(line, 10.0, at_edge=True)


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("김영송, 양성민, 조서형", ["김영송", "양성민", "조서형"]),
        ("정 영 준", ["정 영 준"]),
        ("전자공학", []),
        ("우리 것", []),
    ],
)
def test_korean_people_are_names(line, people):
    assert names_in(line) == people


def test_korean_word_cut_at_a_line_end_is_joined_when_the_paper_knows_it():
    joiner = Joiner(["모델을 활용해 보는 일", "그 결과 우리는 회로를 본다"])
    assert joiner.join("이것을 활", "용해 보면") == "이것을 활용해 보면"
    assert joiner.join("그 결과", "우리는") == "그 결과 우리는"


def test_numbered_title_in_sentence_case_is_a_heading_when_bold():
    headings = Headings(10.0)
    headings.is_heading("1 Introduction", 12.0, at_edge=True)
    assert not headings.is_heading("1.2 Retrieval of style files", 10.0, at_edge=True)
    assert headings.is_heading("1.2 Retrieval of style files", 10.0, at_edge=True, bold=True)
