"""Where a passage or a cited sentence stands, in words."""

from kb.records import Cited, Passage


def test_a_sentence_stands_in_its_passage_with_page():
    cited = Cited(text="x", passage_id="p1", document_id="a", start=4, end=9, page=3)
    assert cited.place == "a, passage p1, characters 4 to 9 in it, page 3"


def test_a_passage_stands_in_its_document_and_has_no_page_unless_there_is_one():
    passage = Passage(id="p1", document_id="a", title="A", heading="A", text="x", start=40, end=90)
    assert passage.place == "a, passage p1, characters 40 to 90"
    assert passage.model_copy(update={"page": 2}).place == "a, passage p1, characters 40 to 90, page 2"
