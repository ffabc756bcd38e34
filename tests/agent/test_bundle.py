"""A bundle made of a real verification on a planted model, and what tampering does to it."""

import json
import zipfile

import pytest
from sqlalchemy import text

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.bundle import check_bundle, export_bundle, open_bundle
from agent.claim_parser import parse_claim
from agent.config import Config
from agent.court import Court
from agent.errors import LedgerError
from agent.ledger.store import Ledger
from agent.verification import verify

MODEL = "planted:induction"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> Ledger:
    config = Config.at(tmp_path_factory.mktemp("bundle") / "home")
    opened = Ledger.open(config)
    lab = BenchLaboratory(Bench(config, opened, worker_id="test"), opened, MODEL)
    for sentence in ("head 1.0 is necessary for the task", "head 0.1 is necessary for the task"):
        verify(parse_claim(sentence, model=MODEL, task=MODEL), lab, opened)
    return opened


@pytest.fixture
def bundle(ledger, tmp_path):
    return export_bundle(ledger, [row.claim_id for row in ledger.registry.claims()], tmp_path / "claims.zip")


def rewritten(bundle, change):
    """The bundle with its ledger changed and its manifest made to fit: a forger who is thorough."""
    import hashlib

    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    rows, manifest = json.loads(files["ledger.json"]), json.loads(files["manifest.json"])
    change(rows)
    files["ledger.json"] = json.dumps(rows).encode()
    manifest["files"]["ledger.json"] = hashlib.sha256(files["ledger.json"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    forged = bundle.with_name("forged.zip")
    with zipfile.ZipFile(forged, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return forged


def test_an_honest_bundle_holds(bundle):
    found = check_bundle(bundle)
    assert (found.claims, found.verdicts, found.faults) == (2, 2, [])
    assert found.results >= 5


def test_a_bundle_opens_as_a_data_folder(bundle, ledger, tmp_path):
    open_bundle(bundle, tmp_path / "other").close()
    there = {row.claim_id: row.verdict for row in Court(Config.at(tmp_path / "other")).claims()}
    assert there == {claim_id: row.verdict for claim_id, row in ledger.registry.verdicts().items()}


def test_a_folder_with_a_ledger_is_not_overwritten(bundle, tmp_path):
    Ledger.open(Config.at(tmp_path / "other")).close()
    with pytest.raises(LedgerError, match="holds a ledger already"):
        open_bundle(bundle, tmp_path / "other")


def test_a_changed_file_is_refused(bundle):
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content.replace(b"supported", b"refuted  ") if name == "ledger.json" else content)
    with pytest.raises(LedgerError, match="was changed after the bundle was made"):
        check_bundle(bundle)


def test_a_forged_verdict_is_found_by_judging_again(bundle):
    def change(rows):
        for row in rows["verdicts"]:
            row["verdict"] = row["payload"]["verdict"] = "supported"

    faults = check_bundle(rewritten(bundle, change)).faults
    assert len(faults) == 1 and "its numbers say" in faults[0]


def test_a_threshold_moved_afterwards_breaks_the_registration(bundle):
    def change(rows):
        rows["registrations"][0]["payload"]["alpha"] = 0.5

    assert any("was changed after it was written" in fault for fault in check_bundle(rewritten(bundle, change)).faults)


def test_a_registration_dated_back_is_found(bundle):
    def change(rows):
        for table in ("registrations", "predictions"):
            for row in rows[table]:
                row["registered_at"] = "2020" + row["registered_at"][4:]

    assert any("chain of registrations breaks" in fault for fault in check_bundle(rewritten(bundle, change)).faults)


def test_evidence_older_than_its_prediction_is_found(bundle):
    def change(rows):
        for row in rows["evidence"]:
            row["at"] = "2020" + row["at"][4:]

    assert any("not younger than its prediction" in fault for fault in check_bundle(rewritten(bundle, change)).faults)


def test_a_file_that_is_no_bundle_is_told(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(LedgerError, match="is no bundle"):
        check_bundle(tmp_path / "x.zip")


def test_a_bundle_cannot_write_outside_its_folder(bundle):
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["../evil.json"] = "0"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(LedgerError, match="names a file that no bundle has"):
        check_bundle(bundle)


def test_an_unknown_claim_is_not_exported(ledger, tmp_path):
    with pytest.raises(LedgerError, match="no claim 'zzz'"):
        export_bundle(ledger, ["zzz"], tmp_path / "claims.zip")


def test_the_fixture_left_the_chain_whole(ledger):
    with ledger.database.reading() as session:
        assert (
            session.execute(text("SELECT count(*) FROM registrations")).scalar() == ledger.registry.verify_chain() == 2
        )
