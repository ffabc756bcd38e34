import pytest

from agent.court import Court
from agent.library import open_library
from kb.disagreements import Disagreement
from kb.library import Library
from kb.records import Cited

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


def test_a_second_question_takes_the_place_of_the_first(page, wiki):
    app = page("library")
    app.text_input[0].set_value("what does a copy head write?").run()
    app.text_input[0].set_value("what does an induction head continue?").run()
    assert app.text_input[0].value == "what does an induction head continue?"
    assert "induction" in str(app.query_params["q"])
    assert "Induction note" in app.button[0].label


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


def test_a_folder_is_added_as_a_job_and_its_report_lists_faults(page, wiki, home, tmp_path):
    from agent.supervisor import WorkerSupervisor

    more = tmp_path / "more"
    more.mkdir()
    (more / "fine.md").write_text("---\nid: fine\nyear: soon\n---\nA fine note.", encoding="utf-8")
    (more / "broken.md").write_bytes(b"\x00\x01" * 50)
    app = page("library")
    app.text_input(key="place").input(str(more))
    next(button for button in app.button if button.label == "Add").click().run()
    run_id = app.query_params["ingest"]
    with WorkerSupervisor(home):
        court = Court(home)
        for _ in court.follow(run_id):
            pass
        court.close()
    app = page("library", ingest=run_id)
    assert not app.exception
    assert "1 added" in words(app)
    assert "1 failed" in words(app)
    remarks = next(frame.value for frame in app.dataframe if "what to do" in frame.value)
    assert any("line 3" in remark for remark in remarks["what to do"])
    assert any("not a text file" in remark for remark in remarks["what to do"])


def test_a_place_that_is_not_there_is_one_sentence(page, wiki):
    app = page("library")
    app.text_input(key="place").input("/nowhere/at-all")
    next(button for button in app.button if button.label == "Add").click().run()
    assert "Check the path" in app.error[0].value


def test_a_long_paper_is_introduced_in_its_own_sentences(page, home):
    text = "# Long\n\n## Abstract\n\nWe study copy heads.\n\n## Results\n\nCopy heads copy names in 31% of cases.\n\n"
    with open_library(home) as library:
        library.add_text(text + "## Text\n\n" + "More words about other things here. " * 600, title="Long paper")
        name = library.documents()[0].id
    from ui import library as opened

    opened.open_library.cache_clear()
    shown = words(page("library", note=name))
    opened.open_library.cache_clear()
    assert "**Findings**\n\n- Copy heads copy names in 31% of cases." in shown


def test_notes_that_link_here_are_one_click_away(page, wiki):
    app = page("library", note="induction-note")
    assert "**Linked from:** [Copy head](/library?note=copy-head)" in words(app)


def add_notes(home, folder, notes):
    folder.mkdir()
    for name, text in notes.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    with open_library(home) as library:
        library.add(folder)


def test_two_documents_stand_side_by_side_and_lead_to_their_notes(page, wiki, home, tmp_path):
    add_notes(
        home,
        tmp_path / "papers",
        {
            "early": "---\nid: early\ntitle: Early work\nyear: 2020\n---\n## Findings\n\n- Heads copy names in 31% of cases.\n",
            "old": "---\nid: old\ntitle: Copy head (early)\n---\nAn old note.\n",
            "late": "---\nid: late\ntitle: Late work\nyear: 2024\n---\n## Limits\n\n- Only one model was studied, with [[copy-head]].\n",
        },
    )
    app = page("library")
    assert "Copy head (early)" in app.multiselect(key="compared").options
    app.multiselect(key="compared").set_value(["late", "early"]).run()
    assert not app.exception
    assert [app.button(key=f"compared-{place}").label for place in (0, 1)] == ["**Early work**", "**Late work**"]
    assert "- Heads copy names in 31% of cases." in words(app)
    assert "- Only one model was studied, with [Copy head](/library?note=copy-head)." in words(app)
    app.button(key="compared-1").click().run()
    assert app.query_params["note"] == "late"


def test_sentences_that_disagree_stand_beside_each_other_with_what_differs(page, wiki, monkeypatch):
    one, other = (
        Cited(text=words, passage_id=name, document_id=name, start=0, end=len(words))
        for name, words in (("copy-head", "A copy head matters."), ("induction-note", "A copy head does not matter."))
    )
    pair = Disagreement(
        kind="inferred",
        one=one,
        other=other,
        closeness=0.9,
        models=((), ()),
        metrics=((), ()),
        ablations=(("mean",), ("zero",)),
    )
    monkeypatch.setattr(Library, "disagreements", lambda _library, topic: [pair] if "matter" in topic else [])
    app = page("library")
    app.text_input(key="topic").set_value("does it matter").run()
    assert not app.exception
    assert [app.button(key=f"pair-0-{side}").label for side in ("one", "other")] == [
        "**Copy head**",
        "**Induction note**",
    ]
    assert "A copy head does not matter." in words(app)
    assert "ablation differs: mean against zero" in words(app)
    app.text_input(key="topic").set_value("something else").run()
    assert "Nothing in the library disagrees" in app.info[0].value


def test_without_an_embedder_disagreements_name_the_command(page, wiki):
    app = page("library")
    app.text_input(key="topic").set_value("copy head").run()
    assert "models fetch" in app.error[0].value


def test_the_reading_list_can_be_taken_along(page, wiki):
    app = page("library")
    labels = [button.label for button in app.get("download_button")]
    assert labels == ["Reading list as BibTeX", "Reading list as Markdown"]
