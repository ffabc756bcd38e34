"""Questions land where a person would send them."""

import pytest

from agent.chat.router import route

EXPERIMENTS = ["head-ablation", "head-patching", "direct-logit-attribution", "head-scores"]


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("summarise the IOI paper", "summarise"),
        ("Can you summarize Wang et al. 2022?", "summarise"),
        ("IOI 논문 요약해줘", "summarise"),
        ("what is an induction head?", "define"),
        ("유도 헤드가 뭐야?", "define"),
        ("explain path patching", "define"),
        ("which heads matter for IOI in this model?", "rank"),
        ("what heads do IOI", "rank"),
        ("IOI에서 어떤 헤드가 중요해?", "rank"),
        ("is head 20.0 necessary for IOI?", "verify"),
        ("L20H0 is necessary for IOI", "verify"),
        ("헤드 20.0은 IOI에 필요한가?", "verify"),
        ("is a23.h3 an induction head?", "verify"),
        ("does MLP 3 matter for IOI?", "verify"),
        ("run head-ablation component=a5.h1 n=16", "run-experiment"),
        ("show the claims", "list-claims"),
        ("which experiments are there?", "list-experiments"),
        ("show c1f09a2bb3", "show-claim"),
        ("compare activation patching and attribution patching", "compare"),
        ("what can you do?", "help"),
        ("why do sparse autoencoders miss features", "search"),
        ("which claims in the literature are testable here", "paper-claims"),
    ],
)
def test_intent(question: str, intent: str):
    assert route(question, EXPERIMENTS).intent == intent


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("summarise the IOI paper", "IOI"),
        ("what is an induction head?", "induction head"),
        ("유도 헤드가 뭐야?", "유도 헤드"),
        ("IOI 논문 요약해줘", "IOI"),
        ("What are sparse autoencoders?", "sparse autoencoders"),
    ],
)
def test_subject(question: str, subject: str):
    assert route(question, EXPERIMENTS).subject == subject


def test_settings_of_an_experiment():
    found = route("run head-ablation on L5H1 with n=16 method=mean", EXPERIMENTS)
    assert found.arguments == {"params": {"n": 16, "method": "mean", "component": "L5H1"}}


def test_a_number_that_is_no_head_is_not_a_claim():
    assert route("why does GPT-2 with 1.5B parameters have superposition", EXPERIMENTS).intent == "search"
