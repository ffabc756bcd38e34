"""What the library gives back from the terminal: exact citations, confidence, claims to test, comparisons, exports."""

import json
import re
import shlex

import numpy as np
import pytest
from click.testing import CliRunner

from agent.chat.router import route
from agent.court import Court
from ui import library as opened
from ui.cli import cli, main
from ui.settings import load

MODELS = load().models_dir  # where the packaged embedder is, before a test has its own data folder

LONG = " ".join(f"The copy head attends to token {number} and writes it again." for number in range(12))
NOTES = {
    "copy.md": f"""---
id: copy
title: Copy head study
kind: paper
authors: [Ada Example]
year: 2022
models: [GPT-2 small]
tags: [heads]
source_trust_level: high
confidence_score: 0.85
claims:
  - claim: Removing the copy head lowers accuracy
    task: IOI prompts, GPT-2 small
    component: heads 9.9
  - claim: Its SAE latents copy
    component: latents
---
{LONG}

## Findings

- Ablating copy heads removes few-shot accuracy in GPT-2 small under mean ablation.
""",
    "against.md": """---
id: against
title: Another copy head study
year: 2023
tags: [later]
---
Another study of copy heads.

## Findings

- Ablating copy heads never removes few-shot accuracy in Pythia-1B under mean ablation.
""",
}
PLACE = re.compile(r"(\w+), passage (\w+), characters (\d+) to (\d+) in it")


@pytest.fixture
def embedded(monkeypatch):
    """The packaged embedder in the test's data folder."""
    monkeypatch.setenv("CIRCUIT_COURT_MODELS_DIR", str(MODELS))


@pytest.fixture
def run(home, tmp_path):
    vault = tmp_path / "vault"
    vault.mkdir()
    for name, text in NOTES.items():
        (vault / name).write_text(text, encoding="utf-8")
    opened.open_library.cache_clear()
    opened.open_library().add(vault)
    Court(home).ledger.catalogue.publish("task", {"ioi": {"name": "ioi"}})
    yield lambda *arguments: CliRunner().invoke(cli, ("library", *arguments))
    opened.open_library.cache_clear()


def cited_texts(printed):
    """What stands at each place that was printed, cut out of the library."""
    library = opened.open_library()
    return [library.quote(name, int(start), int(end)) for _, name, start, end in PLACE.findall(printed)]


def test_a_hit_says_passage_characters_and_confidence_and_how_to_read_it_whole(run):
    hit = json.loads(run("search", "what does the copy head attend to?", "--tag", "heads", "--json").stdout)["hits"][0]
    shown = run("search", "what does the copy head attend to?", "--tag", "heads").stdout
    assert f"copy, passage {hit['passage_id']}, characters {hit['start']} to {hit['end']}" in shown
    assert "(high, confidence 0.85)" in shown
    assert (len(hit["text"]) > 280) == (f"circuit-court library passage {hit['passage_id']}" in shown)


def test_a_long_passage_is_shortened_and_says_so(run, capsys):
    from ui.cli_library import _print_hit

    hit = opened.open_library().search("what does the copy head attend to?").hits[0]
    _print_hit(1, hit.model_copy(update={"text": "word " * 100, "page": 7}))
    shown = capsys.readouterr().out
    assert "word …\n" in shown
    assert ", page 7\n" in shown
    assert f"shortened; the whole passage: circuit-court library passage {hit.passage_id}" in shown
    _print_hit(1, hit.model_copy(update={"text": "word", "confidence": None}))
    shown = capsys.readouterr().out
    assert "shortened" not in shown
    assert "confidence" not in shown


def test_show_tells_the_confidence(run):
    assert re.search(r"\nconfidence +0\.85\n", run("show", "copy").stdout)
    assert "\nconfidence" not in run("show", "against").stdout


@pytest.mark.parametrize(("least", "expected"), [("0.8", ["copy"]), ("0", ["copy"]), ("0.9", [])])
def test_confidence_limits_a_listing(run, least, expected):
    assert [line["id"] for line in json.loads(run("list", "--json", "--confidence", least).stdout)] == expected


def test_a_confidence_that_nothing_has_is_said_to_be_a_matter_of_the_filters(run):
    assert "No document passes these filters." in run("list", "--confidence", "1").stdout
    assert run("list", "--confidence", "1.5").exit_code == 2


@pytest.mark.parametrize("command", [("summarise", "copy"), ("define", "Copy head study"), ("compare", "copy")])
def test_each_cited_sentence_says_where_it_stands(run, command):
    printed = run(*command).stdout
    texts = cited_texts(printed)
    assert texts
    assert all(" ".join(text.split()) in " ".join(printed.split()) for text in texts)


def test_a_comparison_is_a_markdown_table_with_a_row_for_each_paper(run):
    printed = run("compare", "copy", "against").stdout
    rows = [line for line in printed.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == ["| Copy head study", "| Another copy head study"]
    numbers = set(re.findall(r" \[(\d+)\]", "\n".join(rows)))
    assert numbers == set(re.findall(r"^- \[(\d+)\] ", printed, re.MULTILINE))
    assert [row["document_id"] for row in json.loads(run("compare", "copy", "against", "--json").stdout)] == [
        "copy",
        "against",
    ]


def test_comparing_what_is_not_there_is_refused(run):
    assert "nothing-like-it" in str(run("compare", "nothing-like-it").exception)


@pytest.mark.usefixtures("embedded")
def test_a_disagreement_shows_both_sentences_with_their_places_and_what_differs(run):
    printed = run("disagreements", "copy head study").stdout
    assert "inferred from the wording" in printed
    assert "model differs:" in printed
    texts = cited_texts(printed)
    assert any("never removes few-shot accuracy" in text for text in texts)
    assert any("Ablating copy heads removes" in text for text in texts)


@pytest.mark.usefixtures("embedded")
def test_disagreements_on_what_the_library_does_not_know_say_that_nothing_was_compared(run):
    done = run("disagreements", "price of copper pans in Vienna on sundays")
    assert done.exit_code != 0
    assert "Nothing was compared." in str(done.exception)


def test_a_claim_has_its_id_and_the_command_that_tests_it_or_the_reason_why_not(run):
    printed = run("claims").stdout
    command = next(line for line in printed.splitlines() if "circuit-court ask" in line).partition("circuit-court ")[2]
    ask, question = shlex.split(command)
    routed = route(question, [])
    assert (ask, routed.intent, routed.subject) == ("ask", "test-paper-claim", "copy#1")
    assert "test it here, on ioi:" in printed
    assert "copy#2" in printed
    assert "test the claim copy#2" not in printed
    assert "cannot test this here: it is about features of a sparse autoencoder" in printed


def test_a_reading_list_is_written_as_bibtex_and_markdown(run, tmp_path):
    assert "@misc{copy," in run("export", "bibtex").stdout
    out = tmp_path / "list.md"
    done = run("export", "markdown", "--tag", "heads", "--out", str(out))
    assert f"written: {out}" in done.stderr
    assert "Ada Example (2022). Copy head study (trust high)" in out.read_text(encoding="utf-8")
    assert "Another copy head study" not in out.read_text(encoding="utf-8")


@pytest.mark.usefixtures("embedded")
def test_passages_are_exported_with_their_vectors_into_a_folder_that_has_to_be_named(run, tmp_path):
    unnamed = run("export", "passages")
    assert unnamed.exit_code == 2
    assert "--out FOLDER" in unnamed.output
    done = run("export", "passages", "--out", str(tmp_path / "away"))
    lines = (tmp_path / "away" / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    assert f"{len(lines)} passages in" in done.stderr
    assert len(np.load(tmp_path / "away" / "vectors.npy", allow_pickle=False)) == len(lines) > 0


@pytest.mark.parametrize("address", ["https://example.org/paper.pdf", "arxiv:2211.00593", "2211.00593"])
def test_an_address_is_refused_with_the_remedy_while_fetching_is_off(run, monkeypatch, capsys, address):
    monkeypatch.delenv("CIRCUIT_COURT_FETCH", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["library", "add", address])
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert "CIRCUIT_COURT_FETCH=true" in printed.err
    assert len(printed.err.strip().splitlines()) == 1
    assert len(opened.open_library().documents()) == 2
