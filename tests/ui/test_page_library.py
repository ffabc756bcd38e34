import pytest

from agent.library import open_library

NOTE = """---
id: copy-head
title: Copy head
category: concept
aliases: [복사 헤드]
source_trust_level: high
verification_status: verified
tags: [heads]
---
# Copy head

A copy head writes the token it attends to. See [[induction-note]] and ![pixel](https://x.example/p).

> [!note] 한국어
> 복사 헤드는 주목한 토큰을 그대로 쓴다.
"""
OTHER = """---
id: induction-note
title: Induction note
category: concept
---
An induction head continues repeated patterns.
"""


@pytest.fixture
def wiki(home, tmp_path):
    folder = tmp_path / "wiki"
    folder.mkdir()
    (folder / "copy-head.md").write_text(NOTE, encoding="utf-8")
    (folder / "induction-note.md").write_text(OTHER, encoding="utf-8")
    with open_library(home) as library:
        library.add(folder)
    from ui import library as opened

    opened.open_library.cache_clear()
    yield folder
    opened.open_library.cache_clear()


def words(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def test_an_empty_library_says_how_to_fill_it(page, home):
    from ui import library as opened

    opened.open_library.cache_clear()
    app = page("library")
    assert not app.exception
    assert "circuit-court library build" in app.info[0].value
    opened.open_library.cache_clear()


def test_what_there_is_stands_on_the_shelf(page, wiki):
    app = page("library")
    assert not app.exception
    assert list(app.dataframe[0].value["title"]) == ["Copy head", "Induction note"]


@pytest.mark.parametrize("question", ["copy head", "복사 헤드"])
def test_a_search_shows_passages_with_their_trust(page, wiki, question):
    app = page("library", q=question)
    assert not app.exception
    assert app.button(key="hit-0").label == "**Copy head**"
    assert "green-badge[trust: high]" in words(app)


def test_a_hit_leads_to_its_note(page, wiki):
    app = page("library", q="copy head")
    app.button(key="hit-0").click().run()
    assert app.query_params["note"] == "copy-head"
    assert app.title[0].value == "Copy head"


def test_a_note_is_shown_safely_with_its_links(page, wiki):
    app = page("library", note="copy-head")
    assert not app.exception
    body = next(m.value for m in app.markdown if "writes the token" in m.value)
    assert "[Induction note](/library?note=induction-note)" in body
    assert "![" not in body
    assert "**한국어**" in body


def test_an_alias_leads_to_its_note(page, wiki):
    assert page("library", note="복사 헤드").title[0].value == "Copy head"


def test_an_unknown_note_is_one_sentence(page, wiki):
    app = page("library", note="nonesuch-note")
    assert not app.exception
    assert "nonesuch" in app.error[0].value
