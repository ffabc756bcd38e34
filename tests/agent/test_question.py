import pytest

from agent.errors import ClaimError
from agent.question import asked_task

TASKS = ["ioi", "greater-than", "induction"]


def task(question: str, model: str = "smollm2") -> str:
    return asked_task(question, model=model, default="ioi", tasks=TASKS)


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("how does this model do greater-than?", "greater-than"),
        ("이 모델은 IOI를 어떻게 하나요?", "ioi"),
        ("how does SmolLM2 do IOI?", "ioi"),
        ("How does this model do it?", "ioi"),
        ("How does this model do its task?", "ioi"),
    ],
)
def test_the_task_is_the_one_named_or_the_default(question: str, named: str):
    assert task(question) == named


def test_an_unknown_task_is_refused_with_those_that_exist():
    with pytest.raises(ClaimError, match="greater-than"):
        task("how does this model do greater-then?")


@pytest.mark.parametrize("question", ["how does GPT-2 do IOI?", "how does SmolLM2 do it?"])
def test_a_question_about_another_model_is_refused(question: str):
    with pytest.raises(ClaimError, match="model under study is planted:names"):
        task(question, model="planted:names")


def test_a_korean_question_about_an_unknown_task_is_refused():
    with pytest.raises(ClaimError, match="뺄셈"):
        task("이 모델은 뺄셈을 어떻게 하나요?")
