"""The words that decide what a sentence claims, in English and Korean: one table, no logic.

Every pattern is matched against a lower-case sentence whose components are marks (⟦0⟧). Words are METHOD's where it
fixes one ("key", "important", "localised", "specifically"), and what people say otherwise.
"""

import re

MARK = r"⟦\d+⟧"
_REMOVE = r"remov\w+|ablat\w+|delet\w+|knock\w*[ -]?out|zero\w*|mean-ablat\w*|without|corrupt\w+|destroy\w+|turn\w* off|prun\w+"
_REMOVE_KO = r"제거|없애|없으면|빼면|빼고|절제|삭제|끄면|어블레이션"
_BETTER = r"improv\w+|help\w*|rais\w+|increas\w+|boost\w*|strengthen\w*|better|gain\w*|adds? to"
_BETTER_KO = r"좋아|향상|개선|증가|높아|올라|나아"
_WORSE = r"hurt\w*|harm\w*|break\w*|damag\w*|reduc\w+|lower\w*|decreas\w+|destroy\w*|worse\w*|cost\w*|degrad\w*|impair\w*|drop\w*|weaken\w*|fail\w*|los\w+|chang\w+"
_WORSE_KO = r"나빠|떨어|감소|줄어|망가|낮아|손상|실패|못하|못한|무너"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


REMOVAL = _any(_REMOVE, _REMOVE_KO)
REMOVAL_IMPROVES = _any(
    rf"(?:{_REMOVE})\b[^.]*\b(?:{_BETTER})\b",
    rf"\b(?:{_BETTER})\b[^.]*\b(?:when|if|by|after)\b[^.]*(?:{_REMOVE})",
    rf"(?:{_REMOVE_KO}).*(?:{_BETTER_KO})",
)
REMOVAL_WORSENS = _any(
    rf"(?:{_REMOVE})\b[^.]*\b(?:{_WORSE})\b",
    rf"\b(?:{_WORSE})\b[^.]*\b(?:when|if|by|after|without)\b",
    rf"(?:{_REMOVE_KO}).*(?:{_WORSE_KO})",
)
HOLDS_BACK = _any(
    rf"{MARK}\s+(?:\w+\s+)?(?:hurts?|harms?|impairs?|hinders?|suppress\w*|opposes?|works? against|holds? back|damages?|worsens?)",
    r"\bis harmful\b|\bnegative(?:ly)? (?:contribut|effect|influence)",
    r"방해|해친|해를 끼|억제|악화|반대로 작용",
)
NECESSARY = _any(
    r"\bnecessary\b|\bneed(?:s|ed|ing)?\b|\brequir\w+|\bessential\b|\bcrucial\b|\bcritical\b|\bvital\b|\bkey\b|\bimportant\b",
    r"\bmatters?\b|\bcontribut\w*|\binvolved\b|\bresponsible\b|\bdepends? on\b|\brel(?:y|ies) on\b|\buses?\b|\bplays? an? \w*\s*(?:role|part)",
    r"\bcould not\b|\bcannot\b|\bcan't\b|\bhelps?\b|\baffects?\b|\bdrives?\b|\bcauses?\b|\bpromotes?\b|\bsupports?\b|\bdoes ioi\b",
    r"필요|필수|중요|핵심|결정적|기여|영향|관여|의존|담당|돕|도움",
)
KEY = _any(
    r"\bkey\b|\bimportant\b|\bcrucial\b|\bcritical\b|\bvital\b|\bmain\b|\bmajor\b|\bstrong(?:ly)?\b|핵심|중요|결정적|주요",
)
MINOR = _any(r"\bminor\b|\bslight\w*|\ba (?:little|bit)\b|\bsomewhat\b|\bweak(?:ly)?\b|\bsmall\b|약간|조금|미미|사소")
SPECIFIC = _any(r"\bspecific(?:ally)?\b|\bonly for\b|\bexclusively\b|\bjust for\b|특별히|에만|특이적")
ABSENT = _any(
    r"\b(?:not|n't|never|no longer)\s+(?:\w+\s+)?(?:necessary|needed|required|essential|important|involved|matter\w*|contribut\w*"
    r"|affect\w*|used|need\w*|play\w*|key|crucial|relevant|responsible|depend\w*|part of)",
    r"\bun(?:necessary|important|needed|involved|related)\b|\birrelevant\b|\bdispensable\b|\bplays? no (?:part|role)\b|\bno (?:effect|role|part|influence|impact)\b",
    r"\bdead weight\b|\bwithout chang\w+\b|\bwithout affect\w+|\bleaves? (?:every|all|the) (?:answers?|outputs?) unchanged|\bdoes nothing\b|\bunchanged\b|\bsafe(?:ly)? (?:be )?remov",
    r"필요(?:하지|치)\s*않|필요\s*(?:가\s*)?없|불필요|중요하지\s*않|관여하지\s*않|영향(?:이|을)?\s*(?:없|주지\s*않)|기여하지\s*않|무관|상관\s*없",
)
QUIET_LAYERS = _any(
    r"\b(?:no|none of the) (?:attention )?heads? (?:in|of|at) layers? (?P<first>\d+)(?:\s*(?:to|through|until|and|-|–)\s*(?P<last>\d+))?"
    r" (?:matters?|contributes?|is (?:needed|involved|necessary|important)|are (?:needed|involved|necessary|important)|plays?|has (?:an )?effect)"
)
RESTORES = _any(
    r"\brestor\w+|\brecover\w*|\bsufficient\b|\bsuffices?\b|\bbrings? back\b|\bis enough\b|\bdenois\w+|복원|회복|충분|되살",
)
LOCALISED = _any(r"\blocali[sz]ed?\b|\blocat(?:ed|es)\b|\bresides?\b|\blives? (?:in|at)\b|국소|국재|위치한다|자리")
PATCHING = _any(r"\bpatch\w*|패치|패칭")
TOGETHER = _any(
    r"\btogether\b|\bjointly\b|\bas a (?:group|set)\b|\bcollectively\b|\bcombined\b|함께|같이|공동|모두 제거"
)
COMPARES = _any(
    r"\bmore\b[^.]*\bthan\b|\bless\b[^.]*\bthan\b|\bstronger than\b|\bmatters? most\b|\bmost important\b|\blarger\b.*\bthan\b|보다 (?:더|덜)?|가장"
)
DECODED = _any(
    r"\bdecod\w+|\bencod\w+|\brepresent\w*|\bprobe\w*|\bknows?\b|\blinear\w*|\bstor(?:es|ed)\b|표상|인코딩|디코딩|프로브|표현"
)
KNOWS = _any(r"\bknows?\b|\bdecided?\b|\bdecides?\b|안다|알고|결정")
LENS = _any(r"\b(?:logit |tuned )?lens\b|렌즈")
BEYOND_PROBE = _any(
    r"\bcircuit\b|\buses?\b|\bcomput\w+|\bbecause\b|\bmechanism\b|\bcauses?\b|\bdrives?\b|\brel(?:y|ies)\b|회로|사용"
)
STEERS = _any(r"\bsteer\w*|\badding\b.*\b(?:vector|direction)|스티어링|조향")
FEATURE = _any(r"\bsae\b|\bfeatures?\b|\bmonosemantic\b|특징|피처")
RESPONDS = _any(r"\bresponds?\b|\bfires?\b|\bdetects?\b|\bactivat\w+ (?:on|for)\b|반응")
PATTERN = _any(r"\battends?\b|\battending\b|\blooks? at\b|주목|어텐션을")
UNIVERSAL = _any(
    r"\b(?:all|every|any|other|larger|frontier|most) (?:language )?(?:models?|llms?|transformers?)\b|\bin general\b|모든 (?:언어 )?모델|모델 일반"
)
UNIQUE = _any(r"\bthe only\b|\bonly (?:head|component|mlp)\b|\ball (?:of )?the (?:heads|components)\b|유일|오직")
EXISTENCE = _any(
    r"\bany answers?\b|\bsome answers?\b|\bevery answers?\b|\banswers? (?:in|un)changed|\bunchanged\b|changes them"
)
SOME_ANSWERS = _any(r"\bchanges (?:some|the) (?:answers?|outputs?)\b|\bchanges them\b|답을? 바꾼|답이 바뀐")
ZEROING = _any(r"\bzero\w*\b|0으로")
RESAMPLING = _any(
    r"\bactivations? from another\b|\boutput on the paired\b|\bcorrupted (?:input|prompt|run)\b|\bresampl\w*\b|리샘플|다른 입력"
)
MEANING = _any(r"\bmean[- ]ablat\w*\b|\bby its mean\b|\bwith its mean\b|평균으로")
CIRCUIT = _any(
    r"\bexactly (?:these|the following) components\b|\bcircuit consists of (?:exactly )?|정확히 .*(?:구성|참여)",
)
FAITHFUL = _any(
    r"\bfaithful\b|\b(?:form|are|is|make up) an? (?:\w+[ ,-]*){0,4}circuit\b|\bthe (?:\w+ )?circuit (?:is|comprises)\b"
    r"|\bimplements?\b|회로(?:이다|를 이룬다|를 구성)",
)
COMPLETE = _any(r"\bcomplete\b|완전")
MINIMAL = _any(r"\bminimal\b|최소")
_FEEDS = r"(?:'s output)? (?:supplies|provides|feeds|forms|composes with|affects|changes|shapes)"
EDGES: list[tuple[re.Pattern[str], str, str | None]] = [
    (re.compile(rf"({MARK})\s*(?:->|→)\s*({MARK})\s*(?:<(q|k|v|in|out)>)?"), "st", None),
    (re.compile(rf"({MARK}){_FEEDS} the quer(?:y|ies) of ({MARK})"), "st", "q"),
    (re.compile(rf"({MARK}){_FEEDS} the keys? of ({MARK})"), "st", "k"),
    (re.compile(rf"({MARK}){_FEEDS} the values? of ({MARK})"), "st", "v"),
    (re.compile(rf"({MARK}) feeds ({MARK})'s quer(?:y|ies)"), "st", "q"),
    (re.compile(rf"({MARK}) feeds ({MARK})'s keys?"), "st", "k"),
    (re.compile(rf"({MARK}) feeds ({MARK})'s values?"), "st", "v"),
    (re.compile(rf"({MARK}) (?:directly )?feeds (?:directly )?(?:into )?({MARK})"), "st", None),
    (re.compile(rf"connection from ({MARK}) to ({MARK})"), "st", None),
    (re.compile(rf"({MARK}) (?:directly )?(?:reads|uses) (?:what|the output of) ({MARK})"), "ts", None),
    (
        re.compile(
            rf"({MARK})(?:은|는|이|가)?\s*({MARK})(?:의|에)?\s*(쿼리|키|값)?\S*\s*(?:직접\s*)?(?:입력|전달|공급|연결|읽)"
        ),
        "st",
        None,
    ),
    (
        re.compile(
            rf"({MARK})(?:'s output)? writes directly (?:in)?to the (?:output |final )?(?:logits|output|unembedding)"
        ),
        "s",
        None,
    ),
]
DENIED = _any(r"\bnot\b|n't\b|\bno (?:direct )?connection\b|지\s*않|없다")
ROLE = _any(
    rf"^(?:the )?role of {MARK}",
    rf"^{MARK} (?:copies|counts|measures|averages|maps|marks|flags|tests|compares|looks|halves|doubles|adds|subtracts|pairs"
    r"|exchanges|swaps|divides|multiplies|raises|lowers|outputs|keeps|decodes|evaluates|turns|computes|attends|moves|sums"
    r"|detects|checks|clips|converts|writes the|combines|negates|sorts|reads off|selects|picks|encodes|shifts|spreads)\b",
    r"\b(?:induction|name[- ]mover|s-?inhibition|inhibition|previous[- ]token|duplicate[- ]token|copy[- ]suppression|backup"
    r"|negative|copying|positional|counter|successor) (?:head|mover|mlp)s?\b|\bname mover\b",
    r"(?:유도|인덕션|이전 토큰|중복 토큰|네임 무버|이름 이동|억제)\s*헤드",
)
OTHER_MODEL = re.compile(
    r"\b(gpt-?[234][\w.-]*|gpt-?j|llama[\w.-]*|pythia[\w.-]*|gemma[\w.-]*|claude[\w.-]*|mistral[\w.-]*|qwen[\w.-]*|opt-\d+\w*|bert[\w-]*|chatgpt)"
)
UNTESTABLE = _any(
    r"\b(?:beautiful|interesting|elegant|conscious\w*|understands?|intelligent|aware|sentient|good|bad|smart|evil|thinks?|wants?|believes?)\b",
    r"의식|이해한다|똑똑|흥미|아름",
)
