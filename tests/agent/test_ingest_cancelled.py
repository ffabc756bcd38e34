"""Stopping an ingest job: what was finished stays in, and the run's outcome names what was not done."""

from types import SimpleNamespace

import pytest

import agent.workflows_ingest
from agent.config import Config
from agent.library import open_library
from agent.workflows_ingest import ingest
from kb.errors import KbError
from tools.errors import CancelledError


class FakeJob:
    """A job without DBOS that is stopped before a step of its own choosing; it keeps how it was ended."""

    def __init__(self, sources, stop_before=None):
        self.run_id, self.request, self.stop_before = "run", {"sources": sources}, stop_before
        self.ended = []
        self.ledger = SimpleNamespace(
            runs=SimpleNamespace(end=lambda *given, **named: self.ended.append((given, named)))
        )
        self.emit = lambda kind, payload: None
        self.emit.flush = lambda: None

    def step(self, name, work):
        if self.stop_before and self.stop_before in name:
            raise CancelledError("stopped on request")
        return work()

    def status(self, text):
        pass


@pytest.fixture
def desk(tmp_path):
    return SimpleNamespace(config=Config.at(tmp_path / "home"))


@pytest.fixture
def vault(tmp_path, monkeypatch):
    monkeypatch.setattr(agent.workflows_ingest, "TOGETHER", 2)
    folder = tmp_path / "vault"
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.md").write_text(f"---\nid: n{n}\n---\nnote {n}", encoding="utf-8")
    return folder


def test_stopped_job_leaves_finished_items_in_and_marks_the_others(desk, vault):
    job = FakeJob([str(vault)], stop_before="4.md")
    with pytest.raises(CancelledError):
        ingest(desk, job)
    ((given, named),) = job.ended
    assert given == ("run", "cancelled")
    items = named["outcome"]["items"]
    assert [item["state"] for item in items] == ["added"] * 4 + ["cancelled"] * 2
    assert [item["source"] for item in items] == [str(vault / f"{n}.md") for n in range(6)]
    with open_library(desk.config) as library:
        assert [line.id for line in library.documents()] == ["n0", "n1", "n2", "n3"]


def test_stopped_job_follows_no_deletions(desk, vault):
    ingest(desk, FakeJob([str(vault)]))
    (vault / "0.md").unlink()
    with pytest.raises(CancelledError):
        ingest(desk, FakeJob([str(vault)], stop_before="5.md"))
    with open_library(desk.config) as library:
        assert len(library.documents()) == 6


def test_job_begun_again_after_a_stop_does_the_rest(desk, vault):
    with pytest.raises(CancelledError):
        ingest(desk, FakeJob([str(vault)], stop_before="4.md"))
    items = ingest(desk, FakeJob([str(vault)]))["items"]
    assert [item["state"] for item in items] == ["unchanged"] * 4 + ["added"] * 2


def test_full_disk_ends_the_job_with_the_sentence(desk, vault, monkeypatch):
    def full(path, *, origin):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kb.ingest.read_source", full)
    with pytest.raises(KbError, match=r"The disk of .* is full"):
        ingest(desk, FakeJob([str(vault)]))
