"""Notes: the user's fields, and faults that cost one field instead of the note."""

import pytest

from kb.notes import parse_note, print_note


def note(header, body="Text.\n"):
    return parse_note(f"---\n{header}\n---\n{body}", "my-note.md")


def test_all_fields_of_the_wiki_format_are_read():
    front = note(
        "id: a\ntitle: A title\ncategory: circuits\nstatus: stable\ncanonical_id: a\naliases: [B, 나]\n"
        "duplicate_of:\nsource_trust_level: high\nconfidence_score: 0.8\nverification_status: verified\n"
        "tags: [x, y]\nraw_sources:\n- https://example.org\nlast_reinforced: 2025-01-02\ngithub_commit: 0123456\n"
        "tech_stack: [TransformerLens]"
    ).front
    assert (front.id, front.aliases, front.duplicate_of, front.confidence_score) == ("a", ("B", "나"), None, 0.8)
    assert (front.github_commit, front.last_reinforced, front.tech_stack) == (
        "0123456",
        "2025-01-02",
        ("TransformerLens",),
    )


def test_arxiv_id_keeps_its_last_zero():
    assert note("arxiv: 2310.10730").front.arxiv == "2310.10730"


def test_unquoted_colon_is_read_and_reported_with_its_line():
    found = note("id: a\ntitle: IOI: a circuit\ntags: [t]")
    assert (found.front.title, found.front.tags) == ("IOI: a circuit", ("t",))
    assert [problem.line for problem in found.problems] == [3]
    assert "quotation marks" in found.problems[0].remedy


def test_broken_list_costs_only_its_field():
    found = note("id: a\naliases: [x, y\ntitle: T")
    assert (found.front.id, found.front.title, found.front.aliases) == ("a", "T", ())
    assert found.problems[0].line == 3 or found.problems[0].line == 4


def test_front_matter_that_never_closes_is_text():
    found = parse_note("---\nid: a\n\nBody without end\n", "b.md")
    assert found.front.id == "b"
    assert "never closed" in found.problems[0].message
    assert "Body without end" in found.text


@pytest.mark.parametrize(
    ("written", "read"), [("A", "high"), ("높음", "high"), ("0.6", "medium"), ("2", "low"), ("secondary", "medium")]
)
def test_trust_is_read_on_one_scale(written, read):
    assert note(f"source_trust_level: {written}").front.source_trust_level == read


def test_unknown_trust_is_left_out_with_the_choices():
    found = note("source_trust_level: magnificent")
    assert found.front.source_trust_level is None
    assert "high, medium, low" in found.problems[0].remedy


@pytest.mark.parametrize(("written", "read"), [("85%", 0.85), ("85", 0.85), ("0.85", 0.85), ("4/5", 0.8)])
def test_confidence_in_any_spelling(written, read):
    assert note(f"confidence_score: {written}").front.confidence_score == pytest.approx(read)


def test_yaml_alias_bomb_is_refused():
    found = note("a: &a [x,x,x]\nb: &b [*a,*a,*a]\ntags: [*b,*b]")
    assert found.front.tags == ()
    assert any("alias" in problem.message for problem in found.problems)


def test_oversized_front_matter_is_refused_in_a_sentence():
    found = note("title: " + "x" * 70_000)
    assert "64000" in found.problems[0].message
    assert found.text == "Text.\n"


def test_unknown_keys_are_kept():
    assert note("cssclass: wide").front.extra == {"cssclass": "wide"}


def test_obsidian_link_as_duplicate_of():
    assert note("duplicate_of: [[other|label]]").front.duplicate_of == "other"


def test_links_outside_code_are_found():
    found = parse_note("See [[activation-patching#Findings|patching]], `[[no]]`.\n```\n[[no]]\n```\n![[image]]", "n.md")
    assert [(link.target, link.section, link.label) for link in found.links] == [
        ("activation-patching", "Findings", "patching")
    ]


def test_title_falls_back_to_heading_then_to_file_name():
    assert parse_note("# Heading\n", "f.md").front.title == "Heading"
    assert parse_note("no heading", "f.md").front.title == "f"


def test_claims_are_objects_and_a_bad_one_is_reported():
    found = note("claims:\n- claim: heads copy\n  task: IOI\n- nothing: here")
    assert [(claim.claim, claim.task) for claim in found.front.claims] == [("heads copy", "IOI")]
    assert len(found.problems) == 1


def test_printed_note_reads_back():
    written = print_note({"id": "x", "title": "T: 제목", "aliases": ["가"]}, "Body [[y]].")
    read = parse_note(written, "x.md")
    assert (read.front.title, read.front.aliases, read.text, read.problems) == ("T: 제목", ("가",), "Body [[y]].\n", ())


def test_a_quotation_mark_that_is_never_closed_is_listed_at_its_own_line():
    note = parse_note('---\nid: a\ntitle: "unclosed\nyear: 2022\n---\ntext', "a.md")
    assert [problem.line for problem in note.problems] == [3]
    assert note.front.year == 2022


def test_korean_capital_and_singular_field_names_are_read():
    front = note("제목: 귀납 헤드\n별칭: [복사 헤드]\nTag: 회로\nAuthor: Ada Beek\nsource-trust-level: 높음").front
    assert (front.title, front.aliases, front.tags) == ("귀납 헤드", ("복사 헤드",), ("회로",))
    assert (front.authors, front.source_trust_level) == (("Ada Beek",), "high")


def test_usual_name_wins_over_another_name_of_the_field():
    front = note("제목: 둘째\ntitle: First").front
    assert (front.title, front.extra) == ("First", {"제목": "둘째"})


def test_broken_korean_field_does_not_cost_the_one_before():
    found = note("id: a\n비고: [x, y\ntitle: T")
    assert (found.front.id, found.front.title) == ("a", "T")
    assert found.problems[0].line in (3, 4)


def test_two_rules_around_text_are_no_front_matter():
    found = parse_note("---\n\nJust a line between two rules.\n\n---\n\nMore.\n", "hr.md")
    assert "Just a line between two rules." in found.text
    assert found.problems == ()


@pytest.mark.parametrize(
    "written", ['"#circuits #heads"', '"#circuits, #heads"', '["#circuits", heads]', "circuits, heads"]
)
def test_tags_are_read_without_their_mark(written):
    assert note(f"tags: {written}").front.tags == ("circuits", "heads")


def test_id_of_a_template_is_reported_and_not_used():
    found = note('id: "<% tp.file.title %>"')
    assert found.front.id == "my-note"
    assert "template" in found.problems[0].remedy


def test_links_to_files_are_links():
    found = parse_note(
        "See [patching](../a/activation%20patching.md#Use), [[b.md]], [web](https://x.org/a.md), ![i](c.md)", "n.md"
    )
    assert [link.target for link in found.links] == ["b", "a/activation patching"]
