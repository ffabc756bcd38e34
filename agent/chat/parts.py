"""Questions for one part of what is known about a paper: its limits, findings, method, tests, or who wrote it and when.

"what are the limits of the logit lens?", "SAE 시드 논문의 한계는?", "who wrote the induction heads paper?". Only the words
are read; which document is meant is for the library.
"""

import re
from typing import Any

_EN = r"(?:main\s+|key\s+|known\s+)?"
_LIMITS = r"(?:limits|limitations|caveats|weaknesses|shortcomings|drawbacks|problems)"
_PARTS = {
    "source": rf"\bwho\s+(?:wrote|published|proposed|introduced|invented|came up with|discovered|(?:are|is|were|was)\s+the\s+authors?\s+of)\b"
    rf"|\bwhen\s+(?:was|were)\b(?=.*\b(?:published|written|introduced|proposed|released)\b)|\b{_EN}authors?\s+of\b"
    r"|\band\s+by\s+whom\b"
    r"|누가\s*(?:쓴|썼|발표|제안|만들|발견)\S*|(?:의\s*)?저자\S*|언제\s*(?:나온|나왔|발표|출판|제안)\S*",
    "limits": rf"\b(?:what\s+are\s+)?(?:(?:the|its|their)\s+)?{_EN}{_LIMITS}\s+(?:of|with)\b|\b(?:the|its|their)\s+{_EN}{_LIMITS}\b"
    r"|(?:의\s*)?(?:한계|제한점|단점|문제점)(?:점)?\S*",
    "findings": rf"\b(?:what\s+(?:are|were)\s+)?(?:(?:the|its|their)\s+){_EN}(?:findings|results|conclusions)(?:\s+of)?\b"
    r"|\bwhat\s+did\s+(?:they|it|this|that)(?:\s+paper)?\s+(?:find|show|conclude)\b|(?:의\s*)?(?:연구\s*)?(?:결과|결론)(?:는|은|가|이|를|을)?(?=\s|$|\?)\S*",
    "method": r"\b(?:what\s+(?:is|was)\s+)?(?:the|its|their)\s+methods?(?:\s+of)?\b|\bhow\s+did\s+they\s+(?:do|measure|test)\b"
    r"|의\s*(?:연구\s*)?방법(?:론)?(?:은|는|이|을)?(?=\s|$|\?)\S*",
    "tests": r"\b(?:what|which|how)\s+(?:could|can|should|would)\s+(?:i|we|one)\s+test\b|\bwhat\s+(?:can|could)\s+be\s+tested\b"
    r"|(?:에서\s*)?(?:무엇을|뭘|어떻게|뭐를)?\s*(?:시험|테스트|검증)할\s*수\s*있\S*",
}
_ASKS = re.compile(
    r"\?|？|^\s*(?:what|which|who|when|how|list|give|tell|show|and|its|their)\b|(?:는|은|야|나|요|가|까|줘|지)\s*$",
    re.I,
)
_AROUND = re.compile(
    r"^\s*(?:and|so|then|그럼|그러면|그리고)\s+|^\s*(?:what\s+(?:are|is)|list|give|tell|show)\b|\b(?:me|the|a|an)\b|\b(?:papers?|articles?|notes?|published|written|introduced|proposed|released)\b"
    r"|\b(?:of|from|in|with|here)\s*$|^\s*(?:of|from|in|with)\b|논문|노트|(?:은|는|이|가|을|를|의)\s*$|[?？.!。,]|(?:알려\s*줘|설명해\s*줘|말해\s*줘)\s*$",
    re.IGNORECASE,
)


def asked_part(question: str) -> dict[str, Any] | None:
    """`subject`, `part` and `kind` of a question for one part; None for any other question. The subject may be a pronoun."""
    text = question.strip()
    if not _ASKS.search(text):
        return None
    for part, pattern in _PARTS.items():
        found = re.search(pattern, text, re.IGNORECASE)
        if found is None:
            continue
        subject = re.sub(pattern, " ", text, flags=re.IGNORECASE)
        for _ in range(3):
            subject = " ".join(_AROUND.sub(" ", subject).split())
        paper = part == "source" or re.search(r"\bpapers?\b|\bet al\b|논문", text, re.IGNORECASE)
        return {"subject": subject, "part": part, **({"kind": "paper"} if paper else {})}
    return None
