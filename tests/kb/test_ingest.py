"""Ingest: incremental, deletions followed, conflicts told, one failing item costs only itself."""

import pytest

from kb.errors import KbError
from kb.library import Library
from kb.records import Filters


def states(report):
    return {item.source.rpartition("/")[2]: item.state for item in report.items}


def test_second_ingest_changes_nothing_and_embeds_nothing(library, write_notes, word_embedder):
    vault = write_notes({"a.md": "---\nid: a\n---\nalpha text", "b.md": "beta text"})
    assert states(library.add(vault)) == {"a.md": "added", "b.md": "added"}
    embedded = word_embedder.embedded
    assert states(library.add(vault)) == {"a.md": "unchanged", "b.md": "unchanged"}
    assert word_embedder.embedded == embedded


def test_an_edit_embeds_only_the_changed_passage(library, write_notes, word_embedder):
    vault = write_notes({"a.md": "## A\n\nfirst part\n\n## B\n\nsecond part"})
    library.add(vault)
    embedded = word_embedder.embedded
    write_notes({"a.md": "## A\n\nfirst part\n\n## B\n\nsecond part, edited"})
    assert states(library.add(vault)) == {"a.md": "updated"}
    assert word_embedder.embedded == embedded + 1


def test_deleted_file_leaves_the_library(library, write_notes):
    vault = write_notes({"a.md": "alpha", "b.md": "beta"})
    library.add(vault)
    (vault / "a.md").unlink()
    assert states(library.add(vault)) == {"a.md": "removed", "b.md": "unchanged"}
    assert [line.id for line in library.documents()] == ["b"]
    assert "a" not in [hit.document_id for hit in library.search("alpha").hits]


def test_renamed_file_keeps_its_note_and_embeds_nothing(library, write_notes, word_embedder):
    vault = write_notes({"a.md": "---\nid: same\ntitle: T\n---\nalpha"})
    library.add(vault)
    embedded = word_embedder.embedded
    (vault / "a.md").rename(vault / "new.md")
    assert states(library.add(vault)) == {"new.md": "updated"}
    assert library.document("same").source.endswith("new.md")
    assert library.document("new").id == "same"
    assert word_embedder.embedded == embedded


def test_two_files_with_one_id_are_a_conflict(library, write_notes):
    vault = write_notes({"a.md": "---\nid: same\n---\nalpha", "b.md": "---\nid: same\n---\nbeta"})
    report = library.add(vault)
    assert states(report) == {"a.md": "added", "b.md": "failed"}
    assert "another id" in report.items[1].message
    assert library.document("same").text == "alpha"


def test_unreadable_file_fails_alone(library, write_notes):
    vault = write_notes({"a.md": "alpha", "c.md": "gamma"})
    (vault / "b.md").write_bytes(b"\x00\x01\x02" * 50)
    report = library.add(vault)
    assert states(report) == {"a.md": "added", "b.md": "failed", "c.md": "added"}


def test_file_that_vanishes_while_reading_is_reported(library, tmp_path):
    item = library.ingest.one(tmp_path / "gone.md", "vault")
    assert (item.state, "gone" in item.message) == ("failed", True)


def test_cancelling_keeps_what_is_in_and_deletes_nothing(library, write_notes):
    vault = write_notes({f"{n}.md": f"note {n}" for n in range(4)})
    library.add(vault)
    (vault / "0.md").unlink()
    write_notes({f"{n}.md": f"note {n} edited" for n in range(1, 4)})
    calls = iter([False, True, True])
    report = library.add(vault, cancelled=lambda: next(calls))
    assert [item.state for item in report.items] == ["updated", "cancelled", "cancelled"]
    assert library.document("0").text == "note 0"


def test_problems_of_a_note_are_listed_and_it_goes_in(library, write_notes):
    vault = write_notes({"a.md": "---\nid: a\nyear: soon\n---\nalpha"})
    report = library.add(vault)
    assert report.items[0].state == "added"
    assert "line 3" in report.items[0].problems[0]
    assert library.document("a").problems == report.items[0].problems


def test_hidden_folders_are_left_alone(library, write_notes):
    vault = write_notes({"a.md": "alpha", ".obsidian/x.md": "settings"})
    assert states(library.add(vault)) == {"a.md": "added"}


def test_folder_without_notes_says_what_can_be_read(library, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(KbError, match=r"Readable: .*\.md"):
        library.add(tmp_path / "empty")


def test_korean_file_in_cp949_is_read(library, tmp_path):
    (tmp_path / "n.txt").write_bytes("귀납 헤드는 반복을 잇는다".encode("cp949"))
    library.add(tmp_path / "n.txt")
    assert "귀납 헤드" in library.search("귀납 헤드").hits[0].text


@pytest.mark.parametrize("text", ["It’s a “quoted” café — naïve", "Müller’s heads"])
def test_western_file_of_old_windows_is_not_read_as_hangul(library, tmp_path, text):
    (tmp_path / "n.txt").write_bytes(f"A note about heads. {text}. It goes on in English.".encode("cp1252"))
    library.add(tmp_path / "n.txt")
    assert text in library.document("n").text


def test_bytes_in_no_known_encoding_are_refused(library, tmp_path):
    (tmp_path / "n.txt").write_bytes(bytes(range(0x81, 0xFF)) * 3)
    assert "no encoding" in library.add(tmp_path / "n.txt").items[0].message


def test_users_note_stands_in_for_a_starter_note(library, write_notes):
    library.build_starter()
    vault = write_notes({"mine.md": "---\nid: circuit\ntitle: My circuit note\n---\nMy own words."})
    assert states(library.add(vault)) == {"mine.md": "updated"}
    again = library.build_starter()
    assert [item.document_id for item in again.items if item.state == "failed"] == ["circuit"]
    assert library.document("circuit").title == "My circuit note"


def test_library_built_without_embedder_gets_vectors_later(tmp_path, write_notes, word_embedder):
    vault = write_notes({"a.md": "alpha words here"})
    with Library.open(tmp_path / "h") as plain:
        plain.add(vault)
        assert plain.search("alpha words").remarks[0].startswith("Dense search is off")
    with Library.open(tmp_path / "h", embedder=word_embedder) as embedded:
        embedded.add(vault)
        assert embedded.search("alpha words").hits[0].legs.cosine is not None


def test_another_embedder_is_noticed_then_embedded_anew(tmp_path, write_notes, make_embedder):
    vault = write_notes({"a.md": "alpha words here"})
    with Library.open(tmp_path / "h", embedder=make_embedder("one")) as library:
        library.add(vault)
    with Library.open(tmp_path / "h", embedder=make_embedder("two")) as library:
        assert "another embedder" in library.search("alpha words").remarks[0]
        library.rebuild_index()
        assert library.search("alpha words").remarks == ()


def test_filters_limit_by_tag_year_and_trust(library, write_notes):
    library.add(
        write_notes(
            {
                "a.md": "---\nid: a\ntags: [Heads]\nyear: 2020\nsource_trust_level: high\n---\nsame words",
                "b.md": "---\nid: b\ntags: [lens]\nyear: 2024\nsource_trust_level: low\n---\nsame words",
            }
        )
    )
    for filters, expected in [
        (Filters(tags=("heads",)), ["a"]),
        (Filters(year_from=2021), ["b"]),
        (Filters(min_trust="medium"), ["a"]),
    ]:
        assert [line.id for line in library.documents(filters)] == expected
        assert [hit.document_id for hit in library.search("same words", filters=filters).hits] == expected


def test_a_vault_edited_renamed_and_deleted_while_it_is_read(library, write_notes):
    vault = write_notes({f"{n:02}.md": f"---\nid: n{n}\n---\nnote {n} as it was" for n in range(30)})
    library.add(vault)
    for n in range(30):
        (vault / f"{n:02}.md").write_text(f"---\nid: n{n}\n---\nnote {n} edited once", encoding="utf-8")

    def meanwhile(place, total, item):
        if place == 5:
            (vault / "10.md").unlink()
            (vault / "11.md").rename(vault / "moved.md")
            (vault / "12.md").write_text("---\nid: n12\n---\nnote 12 edited twice", encoding="utf-8")
            (vault / "00.md").write_text("---\nid: n0\n---\nnote 0 edited twice", encoding="utf-8")
            (vault / "99.md").write_text("---\nid: n99\n---\na new note", encoding="utf-8")

    found = states(library.add(vault, progress=meanwhile))
    assert (found["10.md"], found["11.md"], found["12.md"]) == ("failed", "failed", "updated")
    assert library.document("n12").text == "note 12 edited twice"
    assert library.document("n10").text == "note 10 as it was"
    library.add(vault)
    assert {line.id for line in library.documents()} == {f"n{n}" for n in range(30) if n != 10} | {"n99"}
    assert library.document("n0").text == "note 0 edited twice"
    assert library.document("n11").source.endswith("moved.md")
    assert all(library.quote(hit.passage_id) == hit.text for hit in library.search("note edited").hits)


def test_searches_in_another_connection_go_on_while_a_vault_is_read(library, write_notes, tmp_path, word_embedder):
    vault = write_notes({f"{n:03}.md": f"---\nid: n{n}\n---\nzebra note {n}" for n in range(60)})
    with Library.open(tmp_path / "home", embedder=word_embedder) as reader:
        seen = []
        library.add(vault, progress=lambda place, total, item: seen.append(len(reader.search("zebra note").hits)))
    assert seen[0] == 1
    assert seen == sorted(seen)
    assert seen[-1] == 8


def test_notes_named_after_their_files_are_told_apart_by_folder(library, write_notes):
    vault = write_notes({"a/README.md": "alpha", "b/README.md": "beta", "c.md": "see [[b/README]]"})
    report = library.add(vault)
    assert [item.state for item in report.items] == ["added"] * 3
    assert (library.document("README").text, library.document("b/README").text) == ("alpha", "beta")
    assert "Give this note an id" in library.document("b/README").problems[0]
    assert library.document("c").links == ("b/README",)
    assert {item.state for item in library.add(vault).items} == {"unchanged"}


def test_note_told_apart_takes_the_name_when_the_other_goes(library, write_notes):
    vault = write_notes({"a/README.md": "alpha", "b/README.md": "beta"})
    library.add(vault)
    (vault / "a/README.md").unlink()
    library.add(vault)
    assert [(line.id, library.document(line.id).text) for line in library.documents()] == [("README", "beta")]


def test_note_of_a_vault_added_alone_still_leaves_with_its_file(library, write_notes):
    vault = write_notes({"a.md": "alpha", "b.md": "beta"})
    library.add(vault)
    write_notes({"a.md": "alpha edited"})
    assert states(library.add(vault / "a.md")) == {"a.md": "updated"}
    (vault / "a.md").unlink()
    assert states(library.add(vault))["a.md"] == "removed"


def test_reference_in_two_files_is_one_and_a_key_for_two_works_two(library, tmp_path):
    (tmp_path / "a.bib").write_text("@misc{k, title={One Work}, year={2020}}")
    (tmp_path / "b.bib").write_text("@misc{k, title={One work}, year={2020}, note={x}}")
    (tmp_path / "c.bib").write_text("@misc{k, title={Another Work}}")
    for name, state in (("a", "added"), ("b", "unchanged"), ("c", "added"), ("c", "unchanged"), ("b", "unchanged")):
        assert states(library.add(tmp_path / f"{name}.bib")) == {f"{name}.bib": state}
    assert [line.title for line in library.documents()] == ["One Work", "Another Work"]


def test_notes_are_linked_by_id_file_and_place(library, write_notes):
    vault = write_notes(
        {
            "n.md": "[[귀납 노트]] and [[deep/file name|label]] and [place](deep/file%20name.md)",
            "귀납 노트.md": "---\nid: induction\n---\nalpha",
            "deep/file name.md": "---\nid: deep-one\ntitle: Deep\n---\nbeta",
        }
    )
    library.add(vault)
    assert library.document("n").links == ("induction", "deep-one")
    assert library.document("deep-one").linked_from == ("n",)
    assert library.document("deep-one").aliases == ()


def test_link_to_a_file_of_the_vault_is_no_second_note(library, write_notes):
    vault = write_notes({"a.md": "---\nid: a\n---\nalpha"})
    (vault / "b.md").symlink_to(vault / "a.md")
    report = library.add(vault)
    assert states(report) == {"a.md": "added", "b.md": "unchanged"}
    assert "same file" in report.items[1].message


def test_file_whose_name_is_no_unicode_fails_alone(library, write_notes):
    vault = write_notes({"a.md": "alpha"})
    (vault / "bad\udcff.md").write_text("beta")
    report = library.add(vault)
    assert sorted(item.state for item in report.items) == ["added", "failed"]
    assert "Rename the file" in next(item.message for item in report.items if item.state == "failed")


def test_passages_that_were_cut_without_an_embedder_fit_the_packaged_one(tmp_path, minilm):
    """A Hangul syllable is up to three of its tokens, and what is beyond its limit it would not read."""
    sentence = "활성화 패칭은 깨끗한 프롬프트의 활성값을 손상된 실행에 옮겨 넣어 로짓 차이가 얼마나 회복되는지 잰다. "
    with Library.open(tmp_path / "home") as library:
        library.add_text(sentence * 12, title="활성화 패칭")
        passages = library.passages(library.documents()[0].id)
    assert len(passages) > 2
    assert all(minilm.count(f"활성화 패칭. {passage.text}") <= minilm.limit for passage in passages)
