"""Questions land where a person would send them."""

import pytest

from agent.chat.router import compared, route

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
        ("SAE 평가 요약해 줘", "SAE 평가"),
        ("what is arXiv 2211.00593 about?", "arXiv 2211.00593"),
    ],
)
def test_subject(question: str, subject: str):
    assert route(question, EXPERIMENTS).subject == subject


@pytest.mark.parametrize(
    "question",
    [
        "how does this model do IOI?",
        "How does the model solve greater-than?",
        "how does SmolLM2 do IOI?",
        "how does our network know the answer in IOI?",
        "how is IOI done in this model?",
        "investigate induction",
        "please investigate how GPT-2 does IOI",
        "what mechanism does this model use for greater-than?",
        "which circuit implements IOI in this model?",
        "find the circuit for IOI",
        "이 모델은 IOI를 어떻게 하나요?",
        "이 모델이 IOI를 푸는 회로는?",
        "IOI를 조사해 주세요",
    ],
)
def test_how_this_model_does_a_task_is_investigated(question: str):
    assert route(question, EXPERIMENTS).intent == "investigate"


@pytest.mark.parametrize(
    "question",
    [
        "how do induction heads work?",
        "how does activation patching work?",
        "how does activation patching work in this model?",
        "how do language models do IOI?",
        "how does GPT-2 small do IOI?",
        "how does the model in the IOI paper do it?",
        "according to the literature, how does the model do IOI?",
        "find papers about the IOI circuit",
        "what is a circuit?",
        "how does the model's attention work?",
        "유도 헤드는 어떻게 작동하나요?",
        "논문에서 이 모델은 IOI를 어떻게 하나요?",
    ],
)
def test_how_things_work_in_general_is_for_the_library(question: str):
    found = route(question, EXPERIMENTS).intent
    assert found in ("define", "search", "summarise")


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("where do papers disagree about self-repair?", "self-repair"),
        ("Where does the literature contradict itself on faithfulness?", "faithfulness"),
        ("are there disagreements about SAE features", "SAE features"),
        ("자기 복구에 대해 논문들이 엇갈리는 점은?", "자기 복구"),
    ],
)
def test_disagreements_are_looked_for_on_the_topic(question: str, topic: str):
    found = route(question, EXPERIMENTS)
    assert (found.intent, found.subject) == ("disagreements", topic)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("compare activation patching and attribution patching", ["activation patching", "attribution patching"]),
        ("compare the IOI paper with the docstring paper", ["IOI", "docstring"]),
        ("what is the difference between zero ablation and mean ablation?", ["zero ablation", "mean ablation"]),
        ("how do SAEs differ from transcoders?", ["SAEs", "transcoders"]),
        ("compare ACDC, EAP and EAP-IG", ["ACDC", "EAP", "EAP-IG"]),
        ("활성화 패칭과 귀속 패칭을 비교해줘", ["활성화 패칭", "귀속 패칭"]),
    ],
)
def test_what_is_compared(question: str, names: list[str]):
    found = route(question, EXPERIMENTS)
    assert (found.intent, compared(found.subject)) == ("compare", names)


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("which claims were refuted?", {"verdict": "refuted"}),
        ("show the supported claims", {"verdict": "supported"}),
        ("list the claims", {}),
        ("list supported and refuted claims", {}),
    ],
)
def test_claims_are_listed_by_verdict(question: str, arguments: dict[str, str]):
    found = route(question, EXPERIMENTS)
    assert (found.intent, found.arguments) == ("list-claims", arguments)


def test_settings_of_an_experiment():
    found = route("run head-ablation on L5H1 with n=16 method=mean", EXPERIMENTS)
    assert found.arguments == {"params": {"n": 16, "method": "mean", "component": "L5H1"}}


def test_a_number_that_is_no_head_is_not_a_claim():
    assert route("what does F(M) = 3.56 mean?", EXPERIMENTS).intent == "define"
    assert route("why does GPT-2 with 1.5B parameters have superposition", EXPERIMENTS).intent == "search"
