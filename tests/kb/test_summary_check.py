"""A written sentence stands or falls by the passages it cites."""

import pytest

from kb.summary_check import Written, check_sentences, fault

PASSAGES = {
    "p1": "Ablating head 9.9 of GPT-2 small lowers the logit difference by 34.5% on 1,024 prompts. It is a name mover.",
    "p2": "제거하면 정확도가 12% 떨어진다. 이 헤드는 이름을 옮긴다.",
}


def sentence(text, *cited, part="findings"):
    return Written(part=part, text=text, passage_ids=cited or ("p1",))


@pytest.mark.parametrize(
    "text",
    [
        "Ablating head 9.9 lowers the logit difference by 34.5%.",
        "In GPT-2 small a name mover head was ablated on 1024 prompts.",
        'The head "is a name mover" whose ablation lowers the logit difference.',
    ],
)
def test_sentence_with_its_numbers_names_and_words_stands(text):
    assert fault(sentence(text), PASSAGES) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ablating head 9.9 lowers the logit difference by 43.5%.", "number 43.5%"),
        ("Ablating the head of Pythia lowers the logit difference by 34.5%.", "name Pythia"),
        ("The logit difference of head 9.9 in SAE terms falls.", "name SAE"),
        ('The head "is a copy suppressor" on these prompts, by ablation.', "quotation"),
        ("Researchers everywhere rejoice greatly about wonderful mechanisms.", "shares 0%"),
    ],
)
def test_sentence_with_something_else_falls(text, reason):
    assert reason in str(fault(sentence(text), PASSAGES))


def test_a_number_must_be_in_the_cited_passage_not_in_another():
    assert "12%" in str(fault(sentence("Ablating the head lowers the logit difference by 12%."), PASSAGES))
    assert fault(sentence("정확도가 12% 떨어진다.", "p2"), PASSAGES) is None


def test_citing_nothing_or_something_else_falls():
    assert fault(Written(part="method", text="Heads move names.", passage_ids=()), PASSAGES) == "it cites nothing"
    assert "was not given" in str(fault(sentence("Heads move names.", "p9"), PASSAGES))


def test_kept_and_dropped_add_up():
    drafted = [sentence("Ablating head 9.9 lowers the logit difference."), sentence("It costs 77 dollars.")]
    kept, dropped = check_sentences(drafted, PASSAGES)
    assert (kept, [entry.sentence for entry in dropped]) == ((drafted[0],), [drafted[1]])


def test_korean_sentence_on_an_english_passage_keeps_its_numbers():
    assert fault(sentence("헤드 9.9를 제거하면 34.5% 떨어진다."), PASSAGES) is None
    assert "35%" in str(fault(sentence("헤드 9.9를 제거하면 35% 떨어진다."), PASSAGES))
