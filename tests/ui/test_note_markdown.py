from ui.note_markdown import loose_rows, note_markdown

TITLES = {"induction-head": "Induction head", "유도": "유도 헤드"}


def test_a_link_shows_the_title_and_leads_to_the_note():
    assert (
        note_markdown("see [[induction-head]].", "T", TITLES) == "see [Induction head](/library?note=induction-head)."
    )


def test_a_link_keeps_its_own_words_and_forgets_the_part():
    shown = note_markdown("[[induction-head#Findings|such heads]]", "T", TITLES)
    assert shown == "[such heads](/library?note=induction-head)"


def test_a_korean_id_is_encoded_in_the_address():
    assert note_markdown("[[유도]]", "T", TITLES) == "[유도 헤드](/library?note=%EC%9C%A0%EB%8F%84)"


def test_a_link_to_nowhere_stays_words():
    assert note_markdown("[[nothing-here]]", "T", TITLES) == r"nothing\-here"


def test_a_callout_becomes_a_bold_line_of_its_quotation():
    assert note_markdown("> [!summary] 한국어\n> 글", "T", TITLES) == "> **한국어**  \n> 글"


def test_the_heading_that_repeats_the_title_is_left_out():
    assert note_markdown("# Induction head\n\nText", "Induction head", TITLES).strip() == "Text"
    assert note_markdown("# Another\n\nText", "Induction head", TITLES).startswith("# Another")


def test_an_embedded_image_does_not_survive():
    assert "![" not in note_markdown("![[picture.png]] ![a](https://x.example/p)", "T", TITLES)


def test_a_title_after_its_own_link_is_not_said_twice():
    shown = note_markdown(
        "- [[induction-head]]: Induction head\n- [[induction-head]]: copies, see [[유도]].", "T", TITLES
    )
    first, second = shown.splitlines()
    assert first == "- [Induction head](/library?note=induction-head)"
    assert second.startswith("- [Induction head](/library?note=induction-head): copies, see [유도 헤드](")


def test_rows_without_their_head_are_a_list():
    assert loose_rows("| safety | [[steering]] | a lever |\nwords") == "- safety · [[steering]] · a lever\nwords"
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    assert loose_rows(table) == table
