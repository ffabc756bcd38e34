"""A bundle: claims with everything they rest on, in one zip file that another installation can check.

It holds the rows of the ledger as JSON, each result as JSON and npz (no pickle), and a manifest with the sha256 of
every file. `check_bundle` trusts none of it: hashes, content addresses, links of the registration chain and the order
of registration and evidence are checked, and every verdict is computed again from the numbers. `open_bundle` lays it
out as a data folder of its own, for the app to show (`CIRCUIT_COURT_HOME`). A bundle proves that it is consistent,
not that its numbers were measured: for that, replicate a claim or run its notebook.
"""

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.config import Config
from agent.errors import LedgerError
from agent.ledger.registry import check_link
from agent.ledger.schema import (
    AttemptRow,
    Base,
    ClaimRow,
    EvidenceRow,
    PredictionRow,
    RegistrationRow,
    ResultRow,
    VerdictRow,
)
from agent.ledger.store import Ledger
from agent.verification import judged_again
from tools.result import canonical_json, load_result

VERSION = 1
MAX_BYTES = 4_000_000_000
_NAME = re.compile(r"ledger\.json|results/r[0-9a-f]{24}\.(json|npz)")
TABLES: tuple[type[Base], ...] = (
    ClaimRow,
    RegistrationRow,
    PredictionRow,
    ResultRow,
    AttemptRow,
    EvidenceRow,
    VerdictRow,
)
Rows = dict[str, list[dict[str, Any]]]


class BundleCheck(NamedTuple):
    """What checking found: how much there is, and every fault in a sentence (none: the bundle holds)."""

    claims: int
    results: int
    verdicts: int
    faults: list[str]


def export_bundle(ledger: Ledger, claim_ids: Sequence[str], file: Path) -> Path:
    """Write these claims (and the claims they revise) with all their evidence into `file`.

    Raises LedgerError when a claim is unknown or arrays of a result are missing.
    """
    rows = _collect(ledger, [ledger.registry.claim(claim_id).claim_id for claim_id in claim_ids])
    files = {"ledger.json": canonical_json(rows).encode()}
    for row in rows["results"]:
        result_id = row["result_id"]
        ledger.evidence.result(result_id)  # complete and unchanged, or it raises
        for ending in ("json", "npz"):
            name = f"{result_id}.{ending}"
            files[f"results/{name}"] = (ledger.evidence.results_dir / name).read_bytes()
    manifest = {"version": VERSION, "files": {name: _sha256(content) for name, content in sorted(files.items())}}
    part = file.with_suffix(file.suffix + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", canonical_json(manifest))
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    part.replace(file)
    return file


def open_bundle(file: Path, home: Path) -> Ledger:
    """Lay a bundle out as a new data folder and open its ledger.

    Raises LedgerError when the file is no bundle, a hash does not fit, or `home` holds a ledger already.
    """
    config = Config.at(home)
    if (home / "ledger.sqlite").exists():
        raise LedgerError(f"{home} holds a ledger already; name a folder that does not exist yet.")
    files = _read(file)
    rows: Rows = json.loads(files.pop("ledger.json"))
    ledger = Ledger.open(config)
    config.results_dir.mkdir(mode=0o700, exist_ok=True)
    for name, content in files.items():
        (home / name).write_bytes(content)
    with ledger.database.writing() as session:
        for table in TABLES:
            names = set(table.__table__.columns.keys())
            for row in rows.get(table.__tablename__, []):
                if set(row) != names:
                    raise LedgerError(
                        f"{file.name} comes from another version: {table.__tablename__} has other columns."
                    )
                session.add(table(**row))
            session.flush()
    return ledger


def check_bundle(file: Path) -> BundleCheck:
    """Check a bundle as if its sender were careless or worse. Raises LedgerError when it cannot even be read."""
    with tempfile.TemporaryDirectory(prefix="circuit-court-bundle-") as folder:
        ledger = open_bundle(file, Path(folder) / "home")
        try:
            return check_ledger(ledger)
        finally:
            ledger.close()


def check_ledger(ledger: Ledger) -> BundleCheck:
    """Check every hash, link, order and verdict of a ledger that came from elsewhere."""
    with ledger.database.reading() as session:
        results = list(session.scalars(select(ResultRow)))
        registrations = list(session.scalars(select(RegistrationRow)))
        predictions = list(session.scalars(select(PredictionRow)))
        evidence = list(session.scalars(select(EvidenceRow)))
    faults = [fault for row in results for fault in _result_faults(ledger, row)]
    for registration in registrations:
        own = [one for one in predictions if one.prereg_hash == registration.prereg_hash]
        faults += check_link(registration, own)
    at = {one.prediction_id: one.registered_at for one in predictions}
    faults += [
        f"evidence {row.evidence_id} is not younger than its prediction"
        for row in evidence
        if row.at <= at[row.prediction_id]
    ]
    claims, judged = ledger.registry.claims(), ledger.registry.verdicts()
    faults += [fault for row in judged.values() for fault in _verdict_faults(ledger, row)]
    return BundleCheck(len(claims), len(results), len(judged), faults)


def _result_faults(ledger: Ledger, row: ResultRow) -> list[str]:
    path = ledger.evidence.results_dir / f"{row.result_id}.json"
    stored = load_result(path)
    if stored.model_dump(mode="json") != row.payload or stored.call_hash != row.call_hash:
        return [f"result {row.result_id} says something else in the ledger than in its file"]
    return []


def _verdict_faults(ledger: Ledger, row: VerdictRow) -> list[str]:
    again = judged_again(row.claim_id, ledger)
    if again == row.payload:
        return []
    return [f"claim {row.claim_id} is called {row.verdict}; its numbers say {again['verdict']}: {again['reason']}"]


def _collect(ledger: Ledger, claim_ids: list[str]) -> Rows:
    with ledger.database.reading() as session:
        claims = _lineage(session, claim_ids)
        ids = [claim.claim_id for claim in claims]
        predictions = _where(session, PredictionRow, PredictionRow.claim_id.in_(ids))
        keys = [row.prediction_id for row in predictions]
        attempts = _where(session, AttemptRow, AttemptRow.prediction_id.in_(keys))
        evidence = _where(session, EvidenceRow, EvidenceRow.prediction_id.in_(keys))
        wanted = {row.result_id for row in [*attempts, *evidence] if row.result_id}
        tables: list[Sequence[Base]] = [
            claims,
            _where(session, RegistrationRow, RegistrationRow.claim_id.in_(ids)),
            predictions,
            _where(session, ResultRow, ResultRow.result_id.in_(wanted)),
            attempts,
            evidence,
            _where(session, VerdictRow, VerdictRow.claim_id.in_(ids)),
        ]
    return {
        table.__tablename__: [{name: getattr(row, name) for name in row.__table__.columns.keys()} for row in rows]  # noqa: SIM118  # SQLAlchemy's own keys
        for table, rows in zip(TABLES, tables, strict=True)
    }


def _lineage(session: Session, claim_ids: list[str]) -> list[ClaimRow]:
    """The claims and their ancestors, ancestors first."""
    found: dict[str, ClaimRow] = {}
    waiting = list(claim_ids)
    while waiting:
        row = session.get_one(ClaimRow, waiting.pop())
        found[row.claim_id] = row
        if row.parent_id and row.parent_id not in found:
            waiting.append(row.parent_id)
    return sorted(found.values(), key=lambda row: row.created_at)


def _where(session: Session, table: type[Any], condition: Any) -> list[Any]:
    key = next(iter(table.__table__.primary_key.columns))
    return list(session.scalars(select(table).where(condition).order_by(key)))


def _read(file: Path) -> dict[str, bytes]:
    """The files of a bundle, each as its manifest says. Raises LedgerError naming the first that is not."""
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise LedgerError(f"{file.name} unpacks to more than {MAX_BYTES / 1e9:.0f} GB; it was not opened.")
            manifest = json.loads(archive.read("manifest.json"))
            hashes: dict[str, str] = manifest["files"]
            if manifest["version"] != VERSION:
                raise LedgerError(f"{file.name} is a bundle of version {manifest['version']}; this is {VERSION}.")
            strange = [name for name in hashes if not _NAME.fullmatch(name)]
            if strange:
                raise LedgerError(f"{file.name} names a file that no bundle has: {strange[0]!r}.")
            files = {name: archive.read(name) for name in hashes}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise LedgerError(f"{file} is no bundle of Circuit Court ({error}).") from error
    for name, content in files.items():
        if _sha256(content) != hashes[name]:
            raise LedgerError(f"{name} in {file.name} was changed after the bundle was made.")
    return files


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
