"""The library at 20,000 and 100,000 passages: latency, how well it answers, write rate, disk, cold start.

    python benchmarks/library_scale.py FOLDER MINILM_FOLDER [PASSAGES ...]

A synthetic corpus beside the starter notes. Texts are sentences of the notes put together anew, so that words are as common
and stand together as in a real library; vectors are mixtures of two real passage vectors with noise, so that neighbourhoods are real.
The fillers' vectors are not computed from their texts (100,000 would take hours), the questions' are, and full text is really
indexed. Questions are those of questions.jsonl. Fillers answer nothing, but many are about what is asked: recall falls with
size for that reason too. `cold_s` is a whole `circuit-court library search` process. Prints one JSON object for each size.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from kb.evaluate import evaluate, read_questions
from kb.fusion import Weights
from kb.incoming import Incoming
from kb.library import Library
from kb.passages import cut_passages
from kb.store import PassageVector
from kb.text import sentences

QUESTIONS = Path(__file__).parent / "questions.jsonl"
PER_DOCUMENT = 40
COLD = 5


def known_vectors(library: Library) -> np.ndarray:
    with library.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT v.vector FROM vectors v JOIN passages p USING (number) JOIN documents d ON d.id = p.document_id "
            "WHERE v.part = 0 AND d.origin = 'starter'"
        ).all()
    return np.stack([np.frombuffer(row[0], "<f4") for row in rows])


def known_sentences(library: Library) -> list[str]:
    texts = [library.document(line.id).text for line in library.documents() if line.origin == "starter"]
    found = [text[start:end] for text in texts for start, end in sentences(text)]
    return [" ".join(sentence.split()) for sentence in found if 30 < len(sentence) < 300 and sentence[0].isalnum()]


def grow(library: Library, target: int, rng: random.Random) -> tuple[int, float]:
    """Add documents until there are `target` passages; how many were added, and passages per second."""
    known, pool = known_vectors(library), known_sentences(library)
    with library.store.read() as connection:
        there = connection.exec_driver_sql("SELECT count(*) FROM passages").scalar() or 0
    noise = np.random.default_rng(rng.randrange(2**31))
    started, added = time.perf_counter(), 0
    while there + added < target:
        paragraphs = [" ".join(rng.choices(pool, k=5))[:780] for _ in range(PER_DOCUMENT)]
        name = f"synthetic-{there + added}"
        title = f"{' '.join(rng.choice(pool).split()[:6])} {there + added}"
        text = "\n\n".join(paragraphs)
        document = Incoming(id=name, title=title, kind="paper", text=text, origin="scale", source=name)
        cuts = cut_passages(name, document.text)
        pairs = noise.integers(len(known), size=(2, len(cuts)))
        mixed = known[pairs[0]] + 0.7 * known[pairs[1]] + 0.02 * noise.normal(size=(len(cuts), known.shape[1]))
        mixed = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype("<f4")
        vectors = [PassageVector(place, 0, f"{name}-{place}", row.tobytes()) for place, row in enumerate(mixed)]
        library.store.put(document, cuts, vectors)
        added += len(cuts)
    return added, added / (time.perf_counter() - started)


def cold(home: Path, embedder: Path) -> list[float]:
    """Seconds of whole processes that search once, sorted."""
    environment = {**os.environ, "CIRCUIT_COURT_HOME": str(home), "CIRCUIT_COURT_MODELS_DIR": str(embedder.parent)}
    command = [str(Path(sys.executable).parent / "circuit-court"), "library", "search", "what is an induction head?"]
    times = []
    for _ in range(COLD):
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return sorted(times)


def measured(library: Library, home: Path, embedder: Path) -> dict[str, Any]:
    questions = [question for question in read_questions(QUESTIONS) if question.half == "report"]
    for question in questions[:20]:
        library.search(question.q)
    report = evaluate(library.searcher(Weights()), questions)
    times = cold(home, embedder)
    disk = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    return {
        "p50_ms": report["latency_ms"]["p50"],
        "p95_ms": report["latency_ms"]["p95"],
        **{name: report["fused"]["all"][name] for name in ("recall@5", "mrr", "ndcg@10")},
        "declined": {name: share["share"] for name, share in report["declined"].items()},
        "cold_s": {"median": round(times[len(times) // 2], 2), "worst": round(times[-1], 2)},
        "disk_mb": round(disk / 1e6),
    }


def main() -> None:
    home, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    sizes = [int(size) for size in sys.argv[3:]] or [20_000, 100_000]
    rng = random.Random(0)
    with Library.open(home / "library", embedder_folder=embedder) as library:
        library.build_starter()
        for size in sizes:
            _, rate = grow(library, size, rng)
            started = time.perf_counter()
            library.dense.rebuild()
            built = time.perf_counter() - started
            report = {"passages": size, "written_per_s": round(rate), "index_built_s": round(built, 1)}
            print(json.dumps(report | measured(library, home, embedder)), flush=True)


if __name__ == "__main__":
    main()
