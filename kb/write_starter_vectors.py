"""Embeds everything that a library of the starter notes needs and writes `starter/vectors.npz` (`kb.starter_vectors`).

    python -m kb.write_starter_vectors MINILM_FOLDER

Vectors that still fit are taken from the file as it is; `--all` embeds every one again.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from kb.library import Library
from kb.starter_vectors import save


def main(folder: Path, *, everything: bool) -> int:
    """Write the file; how many vectors it holds."""
    with TemporaryDirectory() as home, Library.open(Path(home), embedder_folder=folder) as library:
        if everything:
            library.ingest.ready = {}
        library.build_starter()
        with library.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT key, vector FROM vectors").all()
    save({row.key: row.vector for row in rows})
    return len(rows)


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), everything='--all' in sys.argv)} vectors\n")
