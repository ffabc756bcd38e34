"""A messy vault of 10,000 notes through the durable ingest: time, what was listed, what is in.

    python benchmarks/library_vault.py FOLDER [NOTES] [MODELS_FOLDER]

Writes a vault into FOLDER (broken and missing front matter, circles of duplicates, one id twice, Korean, tables, code, huge and
empty notes, CP949 and UTF-16, binary files, links to files and to folders), adds it as a job of a worker, changes a
hundred notes, removes and renames some, and adds it again. Without MODELS_FOLDER nothing is embedded. Prints one JSON object.
"""

import json
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from agent.config import Config
from agent.court import Court
from agent.library import open_library
from agent.supervisor import WorkerSupervisor

WORDS = [
    "head",
    "layer",
    "patching",
    "ablation",
    "circuit",
    "logit",
    "residual",
    "attention",
    "probe",
    "feature",
    "회로",
    "헤드",
    "절제",
    "활성화",
    "귀납",
    "복사",
    "token",
    "model",
]


def body(rng: random.Random, number: int) -> str:
    text = " ".join(rng.choices(WORDS, k=40))
    extras = [
        f"\n\n> [!note] 한국어\n> {text}",
        "\n\n| head | effect |\n|---|---|\n| 5.1 | 0.36 |\n| 7.2 | -0.1 |",
        "\n\n```python\n# [[not-a-link]]\nx = 1\n```",
        f"\n\nSee [[note-{rng.randrange(10_000)}|another]] and [[missing note#part]].",
        "\n\n- one\n- two\n  - three",
    ]
    return f"# Note {number}\n\n{text}{''.join(rng.sample(extras, k=2))}\n"


def front(rng: random.Random, number: int) -> str:
    trust = rng.choice(["high", "0.8", "낮음", "B", "sometimes"])
    return (
        f"---\nid: note-{number}\ntitle: Note {number}\naliases: [별칭 {number}, N{number}]\n"
        f"source_trust_level: {trust}\nconfidence_score: {rng.choice(['0.7', '80%', 'sure'])}\ntags: [heads, 회로]\n---\n"
    )


def write_note(folder: Path, number: int, rng: random.Random) -> None:
    path = folder / f"part{number % 17}" / f"note {number}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = front(rng, number) + body(rng, number)
    match number % 50:
        case 1:
            text = f"---\nid: note-{number}\ntitle: [unclosed\nyear: soon\n---\n" + body(rng, number)
        case 2:
            text = f"---\nid: note-{number}\n" + body(rng, number)
        case 3:
            text = ""
        case 4:
            text = text.replace("---\n", f"---\nduplicate_of: note-{number + 1}\n", 1)
        case 5:
            text = text.replace("---\n", f"---\nduplicate_of: note-{number - 1}\n", 1)
        case 6:
            text = text.replace(f"id: note-{number}", f"id: note-{number - 6}")
        case 7 if number % 1000 == 7:
            text += "\n\n".join(body(rng, number) for _ in range(400))
        case 8:
            path.write_bytes(f"---\nid: note-{number}\n---\n귀납 헤드는 반복을 잇는다 {number}\n".encode("cp949"))
            return
        case 9:
            path.write_bytes(text.encode("utf-16"))
            return
        case 10:
            path.write_bytes(bytes(rng.randrange(256) for _ in range(200)) + b"\x00" * 20)
            return
        case 11:
            text = body(rng, number)
        case 12:
            text = text.replace("\n", "\r\n")
        case 13 if number % 100 == 13:
            path.symlink_to(folder / "part0" / "note 0.md")
            return
    path.write_text(text, encoding="utf-8", newline="")


def change(folder: Path, rng: random.Random) -> None:
    files = [path for path in sorted(folder.rglob("*.md")) if not path.is_symlink() and path.stat().st_size]
    chosen = rng.sample(files, k=min(200, len(files) // 4))
    half = len(chosen) // 2
    for path in chosen[:half]:
        path.write_bytes(path.read_bytes() + b"\n\nEdited later.\n")
    for path in chosen[half : half + half // 2]:
        path.unlink()
    for path in chosen[half + half // 2 :]:
        path.rename(path.with_name(f"renamed {path.name}"))


def ingest(config: Config, vault: Path) -> dict[str, object]:
    started = time.perf_counter()
    court = Court(config)
    with WorkerSupervisor(config):
        run_id = court.add_to_library([str(vault)])
        for _ in court.follow(run_id):
            pass
        run = court.run(run_id)
    court.close()
    assert run.status == "done", run.error
    items = run.outcome["items"]
    failed = [item for item in items if item["state"] == "failed"]
    return {
        "seconds": round(time.perf_counter() - started, 1),
        "states": dict(Counter(item["state"] for item in items)),
        "listed": sum(bool(item["problems"]) for item in items),
        "without_remedy": sum("." not in item["message"].rstrip(".") for item in failed),
        "across_notes": len(run.outcome["problems"]),
    }


def main() -> None:
    home, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    models = {"models_dir": Path(sys.argv[3])} if len(sys.argv) > 3 else {}
    vault = home / "vault"
    shutil.rmtree(vault, ignore_errors=True)
    rng = random.Random(0)
    for number in range(count):
        write_note(vault, number, rng)
    (vault / "loop").symlink_to(vault, target_is_directory=True)
    (vault / "dangling.md").symlink_to(vault / "nowhere.md")
    config = Config.at(home / "data", **models)
    first = ingest(config, vault)
    change(vault, rng)
    again = ingest(config, vault)
    with open_library(config) as library:
        started = time.perf_counter()
        hits = len(library.search("귀납 헤드는 반복을 잇는다").hits)
        searched = time.perf_counter() - started
        documents = len(library.documents())
    report = {"notes": count, "first": first, "again": again, "documents": documents, "hits": hits}
    print(json.dumps(report | {"first_search_s": round(searched, 2)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
