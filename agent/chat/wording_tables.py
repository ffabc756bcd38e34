"""Sentences of the built-in analyst about papers side by side, disagreements, and investigations' reports.

Every sentence of the literature is verbatim and cited; every verdict and number is the report's own.
"""

from typing import Any

from agent.chat.found import Found
from agent.chat.router import Language


def pick(language: Language, english: str, korean: str) -> str:
    """The words in the language of the question."""
    return korean if language == "ko" else english


def one_line(text: str) -> str:
    """Line breaks and runs of spaces made single spaces."""
    return " ".join(text.split())


def comparison(rows: list[dict[str, Any]], language: Language) -> str:
    """Papers side by side: one column for each, one row for each question about them."""
    names = {
        "year": pick(language, "year", "연도"),
        "models": pick(language, "models", "모델"),
        "question": pick(language, "question", "질문"),
        "method": pick(language, "method", "방법"),
        "findings": pick(language, "findings", "결과"),
        "limits": pick(language, "limits", "한계"),
    }
    lines = ["| | " + " | ".join(_cell(row["title"]) for row in rows) + " |", "|---|" + "---|" * len(rows)]
    for key, name in names.items():
        cells = [_comparison_cell(row[key]) for row in rows]
        if any(cells):
            lines.append(f"| **{name}** | " + " | ".join(cells) + " |")
    after = pick(
        language,
        "_An empty cell means that the library has nothing to put there, not that the paper has nothing._",
        "_빈 칸은 라이브러리에 내용이 없다는 뜻이지 논문에 없다는 뜻이 아닙니다._",
    )
    return "\n".join(lines) + "\n\n" + after


def _comparison_cell(value: Any) -> str:
    if isinstance(value, list):
        said = [_cited(one) if isinstance(one, dict) else _cell(str(one)) for one in value]
        return " • ".join(said) if value and isinstance(value[0], dict) else ", ".join(said)
    return str(value or "")


def _cited(sentence: dict[str, Any]) -> str:
    return f"{_cell(sentence['text'])} [^p:{sentence['passage_id']}]"


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def disagreements(found: Found, language: Language) -> str:
    """Pairs of sentences against each other, with what may explain the difference."""
    pairs = found.data["pairs"]
    if not pairs:
        return pick(
            language,
            found.text,
            f"라이브러리의 문장들만 보면 {found.data['topic']}에 대해 엇갈리는 내용은 없습니다.",
        )
    intro = pick(
        language,
        "Sentences of the library that point in opposite directions (leads to read further, not findings):",
        "라이브러리에서 서로 반대 방향을 가리키는 문장들 (판정이 아니라 더 읽어 볼 단서입니다):",
    )
    against = pick(language, "against", "반대편")
    blocks = [intro]
    for pair in pairs:
        one, other = pair["sides"]
        kind = {
            "stated": pick(language, "stated by a source itself", "출처가 직접 말함"),
            "inferred": pick(language, "inferred from the wording", "표현에서 추론"),
        }[pair["kind"]]
        block = [f"- {_cited(one)}\n  - {against}: {_cited(other)}", f"  - _{kind}_"]
        for name, (left, right) in pair["differs"].items():
            block.append(f"  - {name}: {', '.join(left) or '–'} / {', '.join(right) or '–'}")
        blocks.append("\n".join(block))
    return "\n\n".join(blocks)


def report(data: dict[str, Any], language: Language) -> str:
    """What an investigation found, in short; the whole report is one click away."""
    titles = {
        "supported": pick(language, "Stands", "지지됨"),
        "refuted": pick(language, "Refuted", "반박됨"),
        "open": pick(language, "Open", "미결"),
        "not tested": pick(language, "Not tested", "시험하지 않음"),
    }
    carried = [data["carried"][language]] if "carried" in data else []
    parts = [*carried, f"**{data['answer']}** [^i:{data['run_id']}]"]
    for name, title in titles.items():
        claims, count = data["groups"][name], data["counts"][name]
        if not count:
            continue
        more = pick(language, "the others are in the report", "나머지는 보고서에 있습니다")
        rest = [f"- … {more}"] if count > len(claims) else []
        parts.append("\n".join([f"**{title}**", *(f"- {claim}" for claim in claims), *rest]))
    if data["literature"]:
        title = pick(language, "Beside the literature", "문헌과 비교")
        rows = [
            f"- {one_line(row['says'])} ({row['title']}): {row['outcome']}; {row['here']}" for row in data["literature"]
        ]
        parts.append("\n".join([f"**{title}**", *rows[:8]]))
    if data["approved"] is False:
        parts.append(
            pick(
                language,
                "The plan over the budget was not approved; only what fits was tested.",
                "예산을 넘는 계획이 승인되지 않아 예산 안의 것만 시험했습니다.",
            )
        )
    spent = pick(language, "Spent", "비용")
    where = pick(
        language,
        "The drawn mechanism, every number and the files are on the Investigations page",
        "그려진 메커니즘과 모든 수치, 파일은 Investigations 페이지에 있습니다",
    )
    parts.append(f"_{spent}: {data['spent']}. {where}_ [^i:{data['run_id']}]")
    return "\n\n".join(parts)
