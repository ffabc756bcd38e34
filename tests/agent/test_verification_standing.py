from pathlib import Path

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claims import Claim
from agent.config import Config
from agent.ledger.store import Ledger
from agent.verification import prepare, verify


def court(tmp_path: Path) -> tuple[BenchLaboratory, Ledger]:
    config = Config.at(tmp_path / "home")
    ledger = Ledger.open(config)
    return BenchLaboratory(Bench(config, ledger, worker_id="test"), ledger, "planted:offset"), ledger


def test_a_claim_keeps_the_registration_it_was_tried_under(tmp_path: Path):
    lab, ledger = court(tmp_path)
    claim = Claim(type="necessity", model="planted:offset", task="planted-offset", components=("a0.h0",))
    first = verify(claim, lab, ledger)
    again = verify(claim, lab, ledger, seen=("explore: attention patterns (r1)",))
    assert again.prereg_hash == first.prereg_hash
    assert again.verdict == first.verdict == "supported"


def test_what_the_proposer_saw_is_disclosed_in_the_registration(tmp_path: Path):
    lab, ledger = court(tmp_path)
    claim = Claim(type="necessity", model="planted:offset", task="planted-offset", components=("a0.h0",))
    registration = prepare(claim, lab, ledger, seen=("explore: attention patterns (r1)",))
    assert registration.seen_by_proposer[-1] == "explore: attention patterns (r1)"
