"""Sentences of the built-in analyst: one function for each kind of finding, English and Korean.

Every number comes out of the finding it words; every sentence about the literature is a verbatim, cited quotation.
"""

from typing import Any

from agent.chat import wording_library
from agent.chat.found import Found
from agent.chat.router import Language
from agent.chat.wording_tables import comparison, disagreements, pick, report

VERDICT_KO = {"supported": "지지됨 (supported)", "refuted": "반박됨 (refuted)", "inconclusive": "미결 (inconclusive)"}


def help_text(language: Language) -> str:
    """What the analyst can do, and what it cannot."""
    return pick(
        language,
        "I am the built-in analyst. I can\n"
        '- put a claim about the model on trial: "is head 20.0 necessary for IOI?"\n'
        '- investigate how the model does a task: "how does this model do IOI?"\n'
        '- rank heads for a task: "which heads matter for IOI?"\n'
        '- summarise a paper or topic of the library: "summarise the IOI paper"\n'
        '- compare papers, or show where they disagree: "where do papers disagree about self-repair?"\n'
        '- explain a term: "what is an induction head?"\n'
        '- search the library, list claims and experiments, run an experiment: "run head-ablation component=a5.h1 n=32"\n\n'
        'I word only what the tools return, and take up your last subject ("and its limits?"). I cannot plan freely, combine '
        "several tools or discuss: for that, set `CIRCUIT_COURT_LLM` to a language model.",
        "저는 내장 분석기입니다. 할 수 있는 일:\n"
        '- 모델에 대한 주장을 재판에 올리기: "헤드 20.0은 IOI에 필요한가?"\n'
        '- 모델이 과제를 어떻게 하는지 조사: "이 모델은 IOI를 어떻게 하나요?"\n'
        '- 과제에 중요한 헤드 찾기: "IOI에서 어떤 헤드가 중요해?"\n'
        '- 논문 비교, 의견이 엇갈리는 곳 찾기: "자기 복구에 대해 논문들이 엇갈리는 점은?"\n'
        '- 논문이나 주제 요약: "IOI 논문 요약해줘"\n'
        '- 용어 설명: "유도 헤드가 뭐야?"\n'
        "- 라이브러리 검색, 주장과 실험 목록, 실험 실행\n\n"
        "도구가 돌려준 것만 말합니다. 자유로운 계획이나 대화는 못 합니다. 필요하면 `CIRCUIT_COURT_LLM`에 언어 모델을 지정하세요.",
    )


def refused(reason: str, language: Language) -> str:
    """A tool that could not do what was asked: its own sentence, and what else is possible."""
    after = pick(
        language, "Nothing was lost; ask again with that changed.", "잃은 것은 없습니다. 고쳐서 다시 물어보세요."
    )
    return f"{reason}\n\n{after}"


def word(found: Found, language: Language) -> str:
    """Word one finding."""
    match found.kind:
        case "passages":
            return wording_library.passages(found, language)
        case "summary":
            return wording_library.summary(found, language)
        case "definition":
            return wording_library.definition(found, language)
        case "source":
            return wording_library.source(found, language)
        case "claim":
            return _claim(found, language)
        case "claims":
            return _claims(found, language)
        case "ranking":
            return _ranking(found, language)
        case "result":
            return found.text
        case "experiments":
            return "\n".join(
                f"- **{line.partition(' (')[0]}** ({line.partition(' (')[2]}" for line in found.text.splitlines()
            )
        case "paper-claims":
            return wording_library.paper_claims(found, language)
        case "untested":
            return wording_library.untested(found, language)
        case "comparison":
            return comparison(found.data["rows"], language)
        case "disagreements":
            return disagreements(found, language)
        case "report":
            return report(found.data, language)
        case "nothing":
            return wording_library.nothing(found, language)


def _claim(found: Found, language: Language) -> str:
    card = found.data["card"]
    verdict = pick(language, card["verdict"], VERDICT_KO[card["verdict"]])
    marks = "".join(f"[^r:{result}]" for result in found.results[:6])
    parts = [
        f"**{verdict.capitalize()}** — {card['text']} [^c:{card['claim_id']}]",
        f"{card['reason']} {marks}",
        f"{pick(language, 'What the evidence carries', '증거가 뒷받침하는 문장')}: {card['displayed']}",
    ]
    rows = [_prediction(p) for p in card["predictions"] if p["estimate"] is not None]
    if rows:
        head = pick(
            language,
            "| prediction | expects | observed | n | outcome |",
            "| 예측 | 기대 | 관측 | n | 결과 |",
        )
        parts.append("\n".join([head, "|---|---|---|---|---|", *rows]))
    parts += [f"{pick(language, 'Remark', '참고')}: {remark}" for remark in card["remarks"]]
    parts += [
        f"{pick(language, 'What would change this', '무엇이 이 판정을 바꾸는가')}: {item}" for item in card["missing"]
    ]
    parts.append(
        f"_{pick(language, 'Scope', '범위')}: {card['scope']}. {pick(language, 'Rung', '단계')} {card['rung']}._"
    )
    return "\n\n".join(parts)


def _prediction(p: dict[str, Any]) -> str:
    interval = f" [{p['interval'][0]:.3f}, {p['interval'][1]:.3f}]" if p["interval"] else ""
    name = f"{p['key']} {p['experiment']}"
    return (
        f"| {name} | {p['expects']} | {p['quantity']} {p['estimate']:.3f}{interval} | {p['n'] or ''} | {p['outcome']} |"
    )


def _claims(found: Found, language: Language) -> str:
    rows = found.data["claims"]
    if not rows and found.data["of"]:
        return pick(language, found.text, "그런 주장은 장부에 없습니다.")
    if not rows:
        return pick(
            language,
            'The ledger holds no claims yet. Try: "is head 20.0 necessary for IOI?"',
            '아직 주장이 없습니다. 예: "헤드 20.0은 IOI에 필요한가?"',
        )
    return "\n".join(f"- **{row['verdict'] or row['status']}** — {row['text']} [^c:{row['claim_id']}]" for row in rows)


def _ranking(found: Found, language: Language) -> str:
    data, result = found.data, found.results[0]
    intro = pick(
        language,
        f"Measured on {data['n']} explore prompts of {data['task']} in {data['model']}: what the behaviour loses when a "
        f"head is replaced by its value on the corrupted prompt, as a share of the gap [^r:{result}]. "
        "Positive: the head helps; negative: it works against the answer.",
        f"{data['model']}에서 {data['task']} 탐색 프롬프트 {data['n']}개로 측정: 헤드를 손상 프롬프트의 값으로 바꿀 때 잃는 행동의 비율 "
        f"[^r:{result}]. 양수는 돕는 헤드, 음수는 방해하는 헤드입니다.",
    )
    head = pick(language, "| head | harm | 98 % interval |", "| 헤드 | 손실 | 98 % 구간 |")
    rows = [f"| `{r['component']}` | {r['harm']:.3f} | [{r['low']:.3f}, {r['high']:.3f}] |" for r in data["rows"]]
    best = data["rows"][0]["component"]
    after = pick(
        language,
        "This ranks candidates and judges nothing: these prompts were used to choose. Ask for a verdict on fresh prompts, "
        f"for example *is {best} necessary for {data['task']}?*",
        f"이것은 후보 순위일 뿐 판정이 아닙니다. 새 프롬프트로 판정하려면: *{best}는 {data['task']}에 필요한가?*",
    )
    return "\n\n".join([intro, "\n".join([head, "|---|---|---|", *rows]), after])
