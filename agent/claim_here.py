"""What can be made of a paper's claim in the model under study: an investigation of its task, or an honest reason why not.

Heads of another model mean nothing here: a claim is carried over by task and role, never by a head's number (METHOD T10).
So a claim about components of a task that exists here becomes an investigation of that task, which finds this model's own
heads, registers its predictions and sets the paper's findings beside them. What the court has no instrument for is told with
what is missing. It reads words of the claim's fields and decides nothing about its truth.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from agent.claim_parser_mentions import read_sentence
from agent.claim_parser_task import task_of
from kb.records import LiteratureClaim

_NONE = "no task"


class CarriedOver(NamedTuple):
    """A task to investigate, or None; what is said about it in English and Korean."""

    task: str | None
    english: str
    korean: str


_BEYOND: tuple[tuple[str, str, str], ...] = (
    (
        r"\bSAEs?\b|\blatents?\b|dictionar|crosscoder|transcoder|supernode|pruned nodes|\bfeature norms?\b",
        "it is about features of a sparse autoencoder, transcoder or toy model, and there is none for this model",
        "희소 오토인코더, 트랜스코더, 장난감 모델의 특징에 대한 주장인데 이 모델에는 그런 것이 없습니다",
    ),
    (
        r"steer|refusal|\bchat\b|instruct|truthful|honest|CAA\b|Love' - 'Hate|DiffMean",
        "it needs a chat model or open-ended text; the court judges what token comes next in tasks with a right answer",
        "대화 모델이나 자유 생성이 필요한 주장입니다. 이 법정은 정답이 있는 과제의 다음 토큰만 판정합니다",
    ),
    (
        r"\btrain(?:ed|ing|s)?\b|checkpoints?|\bseeds?\b|mod 113|Othello|\btracr\b|InterpBench|toy (?:model|OR-gate)|attention-only",
        "it needs other models or training runs than the model under study",
        "연구 중인 모델이 아닌 다른 모델이나 훈련 과정이 필요한 주장입니다",
    ),
    (
        r"\bACDC\b|\bEAP|\bAtP|\bHISP\b|approximation|attribution patch|corruption matters|metric matters|overlap is not|baseline choice|"
        r"false negatives|ablation (?:type|sensitivity)|agent|explain|tuned lens|\bDAS\b|rotated|probes? (?:memorise|vs)|stronger than a node",
        "it compares methods; the court puts claims about components of this model on trial, not claims about methods",
        "방법을 서로 비교하는 주장입니다. 이 법정은 방법이 아니라 이 모델의 구성 요소에 대한 주장을 다룹니다",
    ),
)
_TASK_WORDS = (
    (r"year[- ]spans?", "greater-than"),
    (r"repeated[- ](?:random[- ])?tokens?|repeated[- ]token", "induction"),
    (r"\bSVA\b", "subject-verb-agreement"),
    (r"weekday|Monday", "successor"),
    (r"So Mary is", "gendered-pronoun"),
    (r"head 10\.7", "copy-suppression"),
    (r"antonym", "antonyms"),
)


def carry_over(claim: LiteratureClaim, tasks: Sequence[str]) -> CarriedOver:
    """The task whose investigation tests the claim's content here, or why there is none. `tasks` are those that exist."""
    said = ". ".join(
        filter(None, (claim.claim, claim.task, claim.component, claim.intervention, claim.expected, claim.refuted_if))
    )
    for pattern, english, korean in _BEYOND:
        if re.search(pattern, said, re.IGNORECASE):
            return CarriedOver(
                None, f"The court cannot test this here: {english}.", f"여기서는 시험할 수 없습니다: {korean}."
            )
    about = ". ".join(filter(None, (claim.task, claim.component, claim.claim)))
    task = next((name for words, name in _TASK_WORDS if re.search(words, about) and name in tasks), None)
    found = task or task_of(read_sentence(about), _NONE, tasks, strict=False)
    if found == _NONE:
        known = ", ".join(sorted(tasks))
        data = claim.task or claim.claim
        return CarriedOver(
            None,
            f"No task here has its data ({data}). Tasks: {known}. Write one of your own and check it: "
            "circuit-court tasks check FILE.",
            f"그 자료({data})를 가진 과제가 여기 없습니다. 과제: {known}. 직접 만들어 circuit-court tasks check 파일 로 확인할 수 있습니다.",
        )
    models = ", ".join(claim.models) or "another model"
    return CarriedOver(
        found,
        f"The claim is about {claim.component or 'components'} of {models}. Head numbers do not carry over to another model, "
        f"roles and tasks do: this model's own heads for {found} were looked for, and what they do was tested.",
        f"이 주장은 {models}의 {claim.component or '구성 요소'}에 대한 것입니다. 헤드 번호는 다른 모델로 옮겨지지 않고 역할과 과제만 옮겨집니다. "
        f"그래서 이 모델에서 {found} 과제의 헤드를 직접 찾아 그 역할을 시험했습니다.",
    )
