"""Search latency, ingest rate and disk of the library at 20,000 and 100,000 passages.

    python benchmarks/library_scale.py FOLDER MINILM_FOLDER [PASSAGES ...]

A synthetic corpus around the starter notes: texts are drawn from the notes' own words (so that common words are as common as in
a real library), vectors are real passage vectors plus noise (so that neighbourhoods are real); nothing of it is embedded.
Questions are those of questions.jsonl, embedding included. Prints one JSON object for each size.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np

from kb.evaluate import read_questions
from kb.incoming import Incoming
from kb.library import Library
from kb.passages import cut_passages
from kb.store import PassageVector

QUESTIONS = Path(__file__).parent / "questions.jsonl"
PER_DOCUMENT = 40


def grow(library: Library, target: int, rng: random.Random) -> tuple[int, float]:
    """Add documents until there are `target` passages; how many were added, and passages per second."""
    with library.store.read() as connection:
        rows = connection.exec_driver_sql("SELECT vector FROM vectors WHERE part = 0 ORDER BY number LIMIT 1200").all()
        there = connection.exec_driver_sql("SELECT count(*) FROM passages").scalar() or 0
    known = np.stack([np.frombuffer(row[0], "<f4") for row in rows])
    words = " ".join(library.document(line.id).text for line in library.documents() if line.origin == "starter").split()
    noise = np.random.default_rng(rng.randrange(2**31))
    started, added = time.perf_counter(), 0
    while there + added < target:
        paragraphs = [" ".join(rng.choices(words, k=110))[:780] for _ in range(PER_DOCUMENT)]
        name = f"synthetic-{there + added}"
        document = Incoming(
            id=name,
            title=f"Synthetic {there + added}",
            kind="paper",
            text="\n\n".join(paragraphs),
            origin="scale",
            source=name,
        )
        cuts = cut_passages(name, document.text)
        near = known[noise.integers(len(known), size=len(cuts))] + 0.05 * noise.normal(size=(len(cuts), known.shape[1]))
        near = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype("<f4")
        vectors = [PassageVector(place, 0, f"{name}-{place}", row.tobytes()) for place, row in enumerate(near)]
        library.store.put(document, cuts, vectors)
        added += len(cuts)
    return added, added / (time.perf_counter() - started)


def main() -> None:
    home, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    sizes = [int(size) for size in sys.argv[3:]] or [20_000, 100_000]
    questions = [question.q for question in read_questions(QUESTIONS)]
    rng = random.Random(0)
    with Library.open(home, embedder_folder=embedder) as library:
        library.build_starter()
        for size in sizes:
            _, rate = grow(library, size, rng)
            started = time.perf_counter()
            library.dense.rebuild()
            built = time.perf_counter() - started
            for question in questions[:20]:
                library.search(question)
            times = []
            for question in questions:
                started = time.perf_counter()
                library.search(question)
                times.append(1000 * (time.perf_counter() - started))
            disk = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and "models" not in path.parts)
            print(
                json.dumps(
                    {
                        "passages": size,
                        "p50_ms": round(float(np.percentile(times, 50)), 1),
                        "p95_ms": round(float(np.percentile(times, 95)), 1),
                        "max_ms": round(max(times), 1),
                        "passages_written_per_s": round(rate),
                        "index_built_s": round(built, 1),
                        "disk_mb": round(disk / 1e6),
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
