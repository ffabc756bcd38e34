"""The Library page's filters and what a hit says of its place."""

import pytest

from agent.library import open_library
from kb.library import Library
from kb.records import Filters, Hit, Legs, SearchResult
from ui import library as opened

NOTES = {
    "copy-head.md": "---\nid: copy-head\ntitle: Copy head\nyear: 2022\nconfidence_score: 0.8\nsource_trust_level: high\ntags: [Heads, copying]\n"
    "models: [gpt2-small]\n---\nA copy head writes the token it attends to.\n",
    "lens.md": "---\nid: lens\ntitle: Lens\nyear: 2020\nconfidence_score: 0.5\nsource_trust_level: low\ntags: [heads]\nkind: concept\n---\n"
    "A lens reads what a copy head writes.\n",
    "korean.md": "---\nid: korean\ntitle: 복사 헤드\nlanguage: ko\n---\n복사 헤드는 주목한 토큰을 그대로 다시 쓴다.\n",
}


@pytest.fixture
def vault(home, tmp_path):
    folder = tmp_path / "vault"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with open_library(home) as library:
        library.add(folder)
    opened.open_library.cache_clear()
    yield home
    opened.open_library.cache_clear()


def shelf(app) -> list[str]:
    return list(app.dataframe[0].value["title"]) if len(app.dataframe) else []


def captions(app) -> str:
    return "\n".join(element.value for element in app.caption)


@pytest.mark.parametrize(
    ("kind", "name", "value", "left"),
    [
        ("number_input", "since", 2021, ["Copy head"]),
        ("number_input", "until", 2021, ["Lens"]),
        ("selectbox", "trust", "medium", ["Copy head"]),
        ("number_input", "confidence", 0.6, ["Copy head"]),
        ("number_input", "confidence", 0.0, ["Copy head", "Lens"]),
        ("selectbox", "language", "ko", ["복사 헤드"]),
        ("multiselect", "kinds", ["concept"], ["Lens"]),
        ("multiselect", "tags", ["copying"], ["Copy head"]),
        ("text_input", "model", "gpt2", ["Copy head"]),
    ],
)
def test_each_filter_of_the_terminal_limits_the_shelf_and_is_counted(page, vault, kind, name, value, left):
    app = page("library")
    assert len(shelf(app)) == 3
    assert "active" not in captions(app)
    getattr(app, kind)(key=f"filter-{name}").set_value(value).run()
    assert not app.exception
    assert shelf(app) == left
    assert "1 filter active" in captions(app)


def test_filters_stand_in_a_closed_box(page, vault):
    box = next(box for box in page("library").expander if box.label == "Filters")
    assert not box.proto.expanded


def test_a_tag_in_two_spellings_is_offered_once(page, vault):
    offered = [tag.casefold() for tag in page("library").multiselect(key="filter-tags").options]
    assert offered == ["copying", "heads"]


def test_filters_add_up_and_are_cleared_at_once(page, vault):
    app = page("library")
    app.number_input(key="filter-until").set_value(2021)
    app.multiselect(key="filter-tags").set_value(["copying"]).run()
    assert "2 filters active: until 2021, tagged copying" in captions(app)
    assert "No document passes these filters." in [info.value for info in app.info]
    app.button(key="clear-filters").click().run()
    assert len(shelf(app)) == 3
    assert "active" not in captions(app)


def test_years_that_no_document_can_have_are_named(page, vault):
    app = page("library")
    app.number_input(key="filter-since").set_value(2024)
    app.number_input(key="filter-until").set_value(2020).run()
    assert "2024 on and up to 2020" in app.warning[0].value


def test_filters_are_still_there_after_a_note_and_after_another_page(page, vault):
    app = page("library")
    app.number_input(key="filter-since").set_value(2021).run()
    app.query_params["note"] = "copy-head"
    app.run()
    del app.query_params["note"]
    app.run()
    assert shelf(app) == ["Copy head"]
    app.switch_page("page_claims.py").run()
    app.switch_page("page_library.py").run()
    assert shelf(app) == ["Copy head"]
    assert "1 filter active: since 2021" in captions(app)


def test_filters_limit_a_search_and_a_hit_names_passage_and_characters(page, vault):
    app = page("library")
    app.text_input[0].set_value("copy head").run()
    app.number_input(key="filter-since").set_value(2021).run()
    assert not app.exception
    titles = [button.label for button in app.button if (button.key or "").startswith("hit-")]
    assert titles == ["**Copy head**"]
    with open_library(vault) as library:
        passage = library.passages("copy-head")[0]
    assert f"characters {passage.start} to {passage.end} · passage {passage.id}" in captions(app)


def test_a_hit_tells_heading_page_characters_and_passage_of_what_the_filters_let_through(page, vault, monkeypatch):
    asked = []
    hit = Hit(
        passage_id="0f3a",
        document_id="copy-head",
        canonical_id="copy-head",
        title="Copy head",
        heading="Copy head > Findings",
        text="A copy head writes the token it attends to.",
        start=40,
        end=83,
        page=3,
        score=1.0,
        legs=Legs(),
        trust="high",
        confidence=None,
        verification=None,
        kind="paper",
        year=2022,
        url=None,
    )

    def search(_library, query, *, limit, filters):
        asked.append(filters)
        return SearchResult(query=query, hits=(hit,))

    monkeypatch.setattr(Library, "search", search)
    app = page("library", q="copy head")
    app.multiselect(key="filter-kinds").set_value(["note"])
    app.selectbox(key="filter-language").set_value("en").run()
    assert not app.exception
    assert asked == [None, Filters(kinds=("note",), languages=("en",))]
    assert "Findings · page 3 · characters 40 to 83 · passage 0f3a" in captions(app)
