"""Starter notes are in step with the facts: schema, links, facts, sources; their text is not copied."""

import json
import re
from pathlib import Path

import pytest

from kb.notes import links_of, parse_note
from kb.starter_notes import GUIDES, NOTES, asked, complete, facts, note_files

KEYS = list(facts())
QUESTIONS = Path(__file__).resolve().parents[2] / "benchmarks" / "questions.jsonl"


def body(key):
    return (NOTES / f"{key}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", KEYS)
def test_note_is_in_step_with_its_facts(key):
    assert complete(facts()[key], parse_note(body(key), key).text) == body(key)


def test_there_is_a_note_for_every_fact_and_no_other():
    assert sorted(path.stem for path in NOTES.glob("*.md")) == sorted(KEYS)
    assert len(KEYS) == 139


def test_no_note_has_a_problem():
    problems = {path.name: parse_note(path.read_text(encoding="utf-8"), path.name).problems for path in note_files()}
    assert {name: found for name, found in problems.items() if found} == {}


def test_every_link_leads_to_a_note():
    known = {path.stem for path in note_files()}
    links = {
        (path.stem, link.target)
        for path in note_files()
        for link in parse_note(path.read_text(encoding="utf-8"), path.name).links
    }
    assert {link for link in links if link[1] not in known} == set()


def test_every_note_says_one_line_and_a_korean_summary():
    for path in NOTES.glob("*.md"):
        text = parse_note(path.read_text(encoding="utf-8"), path.name).text
        opening = re.sub(r"^# .*\n+", "", text).split("\n", 1)[0]
        assert 20 <= len(opening) <= 200, path.name
        assert re.search(r"> \[!summary\] 한국어\n> .*[가-힣]", text), path.name


def test_testable_claims_are_in_the_front_matter():
    found = parse_note(body("ioi-wang-2022"), "x").front.claims
    assert [claim.claim for claim in found] == [claim["claim"] for claim in facts()["ioi-wang-2022"]["claims_testable"]]


def test_recalled_facts_are_marked():
    for key, entry in facts().items():
        status = parse_note(body(key), key).front.verification_status
        if entry["confidence"] == "recall":
            assert status == "unverified", key
        elif "[recall]" in str(entry):
            assert status == "partially-verified", key
            assert "unverified" in parse_note(body(key), key).text, key
        else:
            assert status == "verified", key


def test_later_evidence_is_a_lead():
    for key, entry in facts().items():
        for item in re.findall(r"## Later evidence\n(.*?)(?:\n## |\Z)", body(key), re.DOTALL):
            assert "Lead, not settled:" in item, key
        assert not entry.get("later_evidence") or "## Later evidence" in body(key), key


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def runs(text, length):
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


@pytest.mark.parametrize("key", KEYS)
def test_sentences_are_not_copied_from_the_facts(key):
    entry = facts()[key]
    told = [entry.get(name, "") for name in ("key_findings", "limitations", "definition", "pitfalls")]
    prose = re.sub(
        r"(?<!\w)['\"].{3,200}?['\"](?!\w)|\d[\d,.%]*", " | ", str(told)
    )  # prompts and figures stay as they are
    text = parse_note(body(key), key).text.split("\n## Links")[0]
    titles = " ".join(other.get("title", "") for other in facts().values())
    assert runs(text, 9) & runs(prose, 9) - runs(titles, 9) - runs(entry.get("formula", ""), 9) == set()


def test_how_a_note_may_be_asked_for_is_not_taken_from_the_question_set():
    questions = [json.loads(line)["q"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    taken = set().union(*(runs(question, 5) for question in questions))
    shared = {phrase for phrases in asked().values() for phrase in phrases if runs(phrase, 5) & taken}
    assert shared == set()


SECTIONS = [
    "Key ideas",
    "Findings",
    "How to test it here",
    "Limits and anti-patterns",
    "Later evidence",
    "Links",
    "Sources",
]
NUMBER = re.compile(r"\d[\d,]*\d(?:\.\d+)?|\d(?:\.\d+)?")
SCALES = {"k": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9, "만": 10**4, "억": 10**8}
SCALED = re.compile(rf"({NUMBER.pattern})[ -]?(million\b|billion\b|[kKMB]\b|만|억)")
IDENTIFIERS = re.compile(r"\[\[[^\]]*\]\]|arXiv:[\d.]+|https?://\S+")
HEAD = re.compile(r"\ba(\d+)\.h(\d+)\b")
NAMED = re.compile(r"\b[A-Za-z]\w*-?\d[\w.-]*(?:B|M|small)?")  # GPT-2, SmolLM2-135M, m0, L1: a name, not a figure
WORDED = (
    (re.compile(r"\b(?:a|one) quarter\b|\bone in four\b"), "1 4"),  # the facts' words for what a note writes in figures
    (re.compile(r"\bfirst-order\b", re.IGNORECASE), "1"),
)


def sections(text):
    """Heading -> text of a note's sections, in their order."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def figures(text):
    """The numbers of a text: without thousands' commas, and those with a word of scale written out ("1,600만" is 16000000)."""
    scaled = {f"{float(n.replace(',', '')) * SCALES[scale.casefold()]:.0f}" for n, scale in SCALED.findall(text)}
    return {number.replace(",", "") for number in NUMBER.findall(text)}, scaled


def figures_of_facts(keys):
    """What may be written: the figures of some entries as they stand, written out, and the few that they give in words."""
    told = " ".join(str(facts()[key]) for key in keys if key in facts())
    for pattern, number in WORDED:
        told += f" {number}" if pattern.search(told) else ""
    plain, scaled = figures(told.replace("_", " "))
    return plain | scaled | {part for number in plain for part in number.split(",")}


def unfounded(key, text):
    """The figures of a note's hand-written text that are neither in its entry nor in those that it links to."""
    hand = re.split(r"\n## Links\n", text)[0]
    entry = facts()[key]
    known = figures_of_facts(
        {key, *entry.get("related", ()), entry.get("canonical_source"), *(link.target for link in links_of(hand))}
    )
    tests = sections(hand)["How to test it here"]
    if entry["kind"] == "concept":  # their examples name heads of the packaged model, of which the facts know nothing
        hand = hand.replace(tests, HEAD.sub("", tests))
    hand = NAMED.sub(" ", HEAD.sub(r"\1.\2", IDENTIFIERS.sub(" ", hand)))
    rest = SCALED.sub(" ", hand)
    return (figures(hand)[1] | figures(rest)[0]) - known


@pytest.mark.parametrize("key", KEYS)
def test_every_number_of_a_note_stands_in_the_facts(key):
    assert unfounded(key, parse_note(body(key), key).text) == set()


@pytest.mark.parametrize(
    ("sound", "faulty", "number"),
    [
        ("26 heads", "27 heads", "27"),
        ("3.56", "3.65", "3.65"),
        ("about 87%", "about 78%", "78"),
        ("`a9.h6`", "`a9.h4`", "9.4"),
        ("26개", "2,600만 개", "26000000"),
    ],
)
def test_a_wrong_number_in_a_note_is_noticed(sound, faulty, number):
    text = parse_note(body("ioi-wang-2022"), "x").text
    assert sound in text
    assert unfounded("ioi-wang-2022", text.replace(sound, faulty, 1)) == {number}


@pytest.mark.parametrize("key", KEYS)
def test_a_note_has_the_sections_of_the_format_in_their_order(key):
    found = sections(parse_note(body(key), key).text)
    wanted = [name for name in SECTIONS if name in found or name != "Later evidence"]
    assert list(found) == wanted
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("key", [key for key in KEYS if facts()[key]["kind"] == "paper"])
def test_a_papers_note_gives_figures_where_its_findings_have_any(key):
    findings, found = (
        NAMED.sub(" ", IDENTIFIERS.sub(" ", text))
        for text in (" ".join(map(str, facts()[key]["key_findings"])), parse_note(body(key), key).text)
    )
    told = {number for number in figures(findings)[0] if "." in number or int(number) > 9}  # smaller ones count lists
    said = figures(sections(found)["Key ideas"] + sections(found)["Findings"])[0]
    assert said or not told


TOOLS = {  # the five rows that the format asks for: what is asked -> what it starts with
    "small model": ["activation-patching"],
    "what a representation is made of": ["sparse-autoencoder"],
    "causes": ["patching", "ablation-types"],
    "features relate to each other": ["attribution-graph"],
    "safety": ["steering-vector", "refusal-direction"],
}


def guide(name):
    return parse_note((GUIDES / f"{name}.md").read_text(encoding="utf-8"), name).text


@pytest.mark.parametrize("question", TOOLS)
def test_the_tool_choice_table_has_each_row(question):
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in guide("tool-choice").splitlines()
        if "|" in line
    ]
    (row,) = [row for row in rows if question in row[0]]
    assert all(tool in row[1] for tool in TOOLS[question])
    assert len(row) == 5
    assert all(row)


ANTI_PATTERNS = {
    "single-neuron-is-concept": r"neuron.*concept",
    "probe-accuracy-is-circuit": r"probe.*circuit",
    "attention-map-is-conclusion": r"attention.*conclusion",
    "sae-feature-is-ground-truth": r"SAE feature.*ground truth",
    "toy-result-is-frontier-fact": r"toy.*frontier",
}


def test_there_is_a_guide_for_each_anti_pattern_and_no_other():
    assert {path.stem for path in GUIDES.glob("*.md")} == {
        "tool-choice",
        *(f"anti-pattern-{name}" for name in ANTI_PATTERNS),
    }


@pytest.mark.parametrize("name", ANTI_PATTERNS)
def test_an_anti_pattern_says_why_it_fails_and_what_to_run_instead(name):
    identity = f"anti-pattern-{name}"
    title = parse_note((GUIDES / f"{identity}.md").read_text(encoding="utf-8"), name).front.title
    assert re.search(ANTI_PATTERNS[name], title, re.IGNORECASE)
    found = sections(guide(identity))
    assert list(found) == ["What people do", "Why it fails", "What this product does instead", "What to run instead"]
    assert all(text.strip() for text in found.values())
    assert f"[[{identity}]]" in guide("tool-choice")
