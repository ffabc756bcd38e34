"""The library from the terminal: what each command prints, on notes of one's own and on a stand-in llm."""

import json

import pytest
from click.testing import CliRunner

from agent.library import open_library
from tests.agent.chat.standin import standin
from ui import library as opened
from ui.cli import cli

NOTES = {
    "copy-head.md": """---
id: copy-head
title: Copy head
aliases: [복사 헤드]
source_trust_level: high
year: 2022
tags: [heads]
claims:
  - claim: Removing the copy head lowers accuracy
    refuted_if: accuracy does not fall
---
A copy head writes the token it attends to. See [[old-copy]] and [[lens]].

## Findings

- Removing head 9.9 lowers accuracy by 34%.

## Limits

- Only GPT-2 small was studied, on 1,024 prompts.
""",
    "old-copy.md": "---\nid: old-copy\nduplicate_of: copy-head\n---\nAn older note about the copy head.\n",
    "lens.md": "---\nid: lens\nyear: 2020\nsource_trust_level: low\n---\nA lens reads the copy head early.\n",
}


@pytest.fixture
def run(home, tmp_path):
    vault = tmp_path / "vault"
    vault.mkdir()
    for name, text in NOTES.items():
        (vault / name).write_text(text, encoding="utf-8")
    with open_library(home) as library:
        library.add(vault)
    opened.open_library.cache_clear()
    yield lambda *arguments: CliRunner().invoke(cli, ("library", *arguments))
    opened.open_library.cache_clear()


def ids(done):
    return [entry["id"] for entry in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--since", "2021"), ["copy-head"]),
        (("--until", "2021"), ["lens"]),
        (("--trust", "medium"), ["copy-head"]),
        (("--tag", "heads"), ["copy-head"]),
        (("--language", "ko"), []),
    ],
)
def test_filters_limit_lists_and_searches(run, options, expected):
    assert ids(run("list", "--json", *options)) == expected
    found = json.loads(run("search", "copy head", "--json", *options).stdout)
    assert {hit["document_id"] for hit in found["hits"]} <= set(expected)


def test_a_note_is_shown_with_its_links_and_what_leads_to_it(run):
    done = run("show", "old-copy")
    assert "old-copy leads here" in done.stderr
    assert "links to" in done.stdout
    assert "lens" in done.stdout


def test_summary_is_an_extract_without_an_llm(run):
    done = run("summarise", "copy-head")
    assert "Findings\n- Removing head 9.9 lowers accuracy by 34%." in done.stdout
    assert "To test\n- Removing the copy head lowers accuracy" in done.stdout


def test_llm_words_a_summary_and_what_fails_is_listed(run, home, monkeypatch):
    with open_library(home) as library:
        cited = {passage.heading.rpartition(" > ")[2]: passage.id for passage in library.passages("copy-head")}
    script = [
        f"findings: Removing head 9.9 lowers accuracy by 34% [^p:{cited['Findings']}]\n"
        f"- limits: It was studied only in GPT-2 small [^p:{cited['Limits']}].\n"
        f"findings: Removing it lowers accuracy by 71% [^p:{cited['Findings']}]\n"
        "It is a wonderful head."
    ]
    with standin(script, tokens=(900, 40)) as server:
        monkeypatch.setenv("CIRCUIT_COURT_LLM", "openai:test-model")
        monkeypatch.setenv("CIRCUIT_COURT_LLM_BASE_URL", server.url)
        monkeypatch.setenv("CIRCUIT_COURT_LLM_API_KEY", "sk-test")
        done = run("summarise", "copy-head")
        asked = server.requests[0]["messages"][1]["content"]
    assert "Findings\n- Removing head 9.9 lowers accuracy by 34%" in done.stdout
    assert "Limits\n- It was studied only in GPT-2 small" in done.stdout
    assert f"copy-head, passage {cited['Limits']}, characters" in done.stdout
    assert "2 sentences dropped:" in done.stdout
    assert "the number 71% is not in what it cites" in done.stdout
    assert "it cites nothing" in done.stdout
    assert cited["Limits"] in asked
    assert "openai:test-model: 1 call of the llm, 900 tokens in, 40 out" in done.stderr


def test_a_passage_is_shown_as_it_stands_and_quotations_are_checked(run, home):
    with open_library(home) as library:
        found = next(p for p in library.passages("copy-head") if p.heading.endswith("Findings"))
    shown = run("passage", found.id, "--quote", "lowers accuracy by 34%")
    assert found.text in shown.stdout
    assert f"characters {found.start} to {found.end}" in shown.stdout
    assert "verbatim in it" in shown.stderr
    refused = run("passage", found.id, "--quote", "lowers accuracy by 35%")
    assert refused.exit_code != 0
    assert "is not verbatim" in str(refused.exception)


def test_claims_say_how_they_would_be_tested(run):
    done = run("claims")
    assert "- Removing the copy head lowers accuracy" in done.stdout
    assert "No claim in the library is like that." in run("claims", "--task", "nothing of the kind").stdout


def test_what_the_library_does_not_say_is_said_with_what_came_nearest(run):
    done = run("search", "price of copy paper in Vienna on sundays and holidays")
    assert done.stdout.startswith("The library does not say")
    assert "nearest: Copy head (copy-head)" in done.stdout


def test_a_term_is_defined_in_the_words_of_its_note(run):
    assert "A copy head writes the token it attends to." in run("define", "복사 헤드").stdout


def test_a_document_is_removed_by_its_id(run):
    assert "lens removed" in run("remove", "lens").stdout
    assert "lens" not in ids(run("list", "--json"))


def test_a_large_folder_is_a_job_of_a_worker(run, home, tmp_path, monkeypatch):
    from ui import cli_library

    monkeypatch.setattr(cli_library, "JOB", 2)
    done = run("add", str(tmp_path / "vault"))
    assert "3 unchanged" in done.stdout, done.output
    from agent.court import Court

    assert [entry.kind for entry in Court(home).runs()] == ["ingest"]


def test_keys_and_folders_reach_the_worker_and_keys_are_never_shown(tmp_path, monkeypatch):
    from agent.worker_setup import config_from_line, config_to_line
    from ui.settings import load

    monkeypatch.setenv("CIRCUIT_COURT_HOME", str(tmp_path))
    monkeypatch.setenv("CIRCUIT_COURT_CHROMA_URL", "https://cloud.example.org")
    monkeypatch.setenv("CIRCUIT_COURT_CHROMA_API_KEY", "ck-secret")
    monkeypatch.setenv("CIRCUIT_COURT_RERANKER", str(tmp_path / "cross"))
    monkeypatch.setenv("CIRCUIT_COURT_EMBEDDER", str(tmp_path / "other"))
    config = load()
    assert "ck-secret" not in repr(config)
    assert config_from_line(config_to_line(config, warm=False)) == (config, False)
