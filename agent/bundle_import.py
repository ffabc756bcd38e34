"""Takes a checked bundle's claims into this ledger, with their original times, and says what it did with each.

Method: the bundle is checked as `check_bundle` does, and refused whole when anything does not fit. Its registrations are
appended to this ledger's chain; their own hashes and times stay, so that registration before evidence can still be seen.
A claim that this ledger has registered itself keeps its own record; where the two verdicts differ it is said so. The
import is recorded as a run of its own: what came from elsewhere was not measured here (`claims replicate` does that).
"""

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.bundle import TABLES, check_ledger, open_bundle
from agent.errors import LedgerError
from agent.ledger.engine import add_once, now
from agent.ledger.registry import append_registration
from agent.ledger.schema import (
    AttemptRow,
    Base,
    ClaimRow,
    EvidenceRow,
    PredictionRow,
    RegistrationRow,
    ResultRow,
    RunRow,
)
from agent.ledger.store import Ledger

KIND = "import"


class Imported(NamedTuple):
    """Claims taken in, claims that this ledger has itself, and in words where the two verdicts differ."""

    taken: list[str]
    kept: list[str]
    differs: list[str]


def import_bundle(ledger: Ledger, file: Path) -> Imported:
    """Take a bundle's claims in. Raises LedgerError naming the first fault when it does not hold."""
    with tempfile.TemporaryDirectory(prefix="circuit-court-import-") as folder:
        foreign = open_bundle(file, Path(folder) / "home")
        try:
            checked = check_ledger(foreign)
            if checked.faults:
                raise LedgerError(f"{file.name} does not hold and is not taken in: {checked.faults[0]}.")
            return _merge(ledger, foreign, file.name)
        finally:
            foreign.close()


def imported_claims(ledger: Ledger) -> dict[str, str]:
    """The bundle that a claim came from, by claim id; claims of this ledger itself are not in it."""
    runs = ledger.runs.list(kind=KIND, limit=None)
    return {claim: run.request["bundle"] for run in runs for claim in (run.outcome or {}).get("taken", [])}


def _merge(ledger: Ledger, foreign: Ledger, name: str) -> Imported:
    ours = {row.claim_id for row in ledger.registry.claims() if ledger.registry.registration(row.claim_id) is not None}
    theirs = [row.claim_id for row in foreign.registry.claims()]
    taken, kept = [claim for claim in theirs if claim not in ours], [claim for claim in theirs if claim in ours]
    with foreign.database.reading() as session:
        rows: dict[type[Base], list[Any]] = {table: list(session.scalars(select(table))) for table in TABLES}
    ledger.evidence.results_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file in foreign.evidence.results_dir.iterdir():
        if not (target := ledger.evidence.results_dir / file.name).exists():
            shutil.copy(file, target)
    outcome = Imported(taken, kept, _differences(ledger, foreign, kept))
    with ledger.database.writing() as session:
        for table in TABLES:
            for row in _taken(table, rows, set(taken)):
                _add(session, row, rows[PredictionRow])
        if taken:
            session.add(_record(name, outcome))
    return outcome


def _taken(table: type[Base], rows: dict[type[Base], list[Any]], taken: set[str]) -> list[Any]:
    """The rows of a table that belong to the claims that are taken in: ancestors first, registrations in order."""
    if table is ResultRow:
        return rows[table]
    if table in (AttemptRow, EvidenceRow):
        own = {row.prediction_id for row in rows[PredictionRow] if row.claim_id in taken}
        return [row for row in rows[table] if row.prediction_id in own]
    found = [row for row in rows[table] if row.claim_id in taken]
    if table is RegistrationRow:
        return sorted(found, key=lambda row: row.position)
    return sorted(found, key=lambda row: row.created_at) if table is ClaimRow else found


def _add(session: Session, row: Any, predictions: list[PredictionRow]) -> None:
    """A copy of a row, unless it is here already; a registration goes to the end of this ledger's chain."""
    if isinstance(row, RegistrationRow):
        own = [one for one in predictions if one.prereg_hash == row.prereg_hash]
        append_registration(session, row.claim_id, row.payload, own, at=row.registered_at)
    else:
        columns = type(row).__table__.columns.keys()
        add_once(session, type(row)(**{name: getattr(row, name) for name in columns}))
    session.flush()


def _differences(ledger: Ledger, foreign: Ledger, kept: list[str]) -> list[str]:
    found = []
    for claim in kept:
        here, there = ledger.registry.verdict(claim), foreign.registry.verdict(claim)
        if here is not None and there is not None and here.verdict != there.verdict:
            text = ledger.registry.claim(claim).text
            found.append(f"{text}: {here.verdict} here, {there.verdict} in the bundle ({claim})")
    return found


def _record(name: str, outcome: Imported) -> RunRow:
    return RunRow(
        run_id=uuid.uuid4().hex,
        kind=KIND,
        request={"bundle": name},
        status="done",
        outcome=outcome._asdict(),
        created_at=now(),
        ended_at=now(),
    )
