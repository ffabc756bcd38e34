"""The database: opened, migrated, never half-written, whatever kills the writer."""

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import pytest

from kb.errors import KbError
from kb.library import Library
from kb.schema import Base
from kb.store import Store


def test_migrations_make_exactly_the_declared_tables(tmp_path):
    store = Store(tmp_path / "library.sqlite")
    with store.read() as connection:
        for name, table in Base.metadata.tables.items():
            columns = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")}
            assert columns == {column.name for column in table.columns}, name
    store.close()


def test_opening_again_is_quick_and_changes_nothing(tmp_path):
    Store(tmp_path / "library.sqlite").close()
    before = (tmp_path / "library.sqlite").read_bytes()
    Store(tmp_path / "library.sqlite").close()
    assert (tmp_path / "library.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "library.sqlite").write_text("this is not a database, it is a text file\n" * 100)
    with pytest.raises(KbError, match="cannot be opened"):
        Store(tmp_path / "library.sqlite")


def test_a_library_of_another_version_is_refused_in_a_sentence(tmp_path):
    Store(tmp_path / "library.sqlite").close()
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    with pytest.raises(KbError, match="another version"):
        Store(tmp_path / "library.sqlite")


def test_a_library_of_a_newer_version_says_to_update_and_stays_as_it_is(tmp_path):
    Store(tmp_path / "library.sqlite").close()
    with sqlite3.connect(tmp_path / "library.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'library_9'")
    connection.close()
    before = (tmp_path / "library.sqlite").read_bytes()
    with pytest.raises(KbError, match=r"newer version of Circuit Court .library_9.*git pull"):
        Store(tmp_path / "library.sqlite")
    assert (tmp_path / "library.sqlite").read_bytes() == before


def test_killed_ten_times_during_ingest_nothing_is_half_or_twice(tmp_path, write_notes, make_embedder):
    vault = write_notes({f"n{n}.md": f"---\nid: n{n}\n---\n" + f"words{n} of note {n}. " * 120 for n in range(60)})
    script = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, "tests/kb")
        from pathlib import Path
        import conftest
        from kb.library import Library
        with Library.open(Path({str(tmp_path / "home")!r}), embedder=conftest.WordEmbedder()) as library:
            print("go", flush=True)
            library.add(Path({str(vault)!r}))
    """)
    rng = random.Random(0)
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.5))
            writer.send_signal(signal.SIGKILL)
        check_whole(tmp_path / "home", make_embedder())
    with Library.open(tmp_path / "home", embedder=make_embedder()) as library:
        report = library.add(vault)
        assert report.count("failed") == 0
        assert len(library.documents()) == 60
    check_whole(tmp_path / "home", make_embedder())


def check_whole(home, embedder):
    """Every document has all its passages, each passage its text rows, vectors and spans, once."""
    with Library.open(home, embedder=embedder) as library, library.store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        passages = connection.exec_driver_sql("SELECT count(*), count(DISTINCT id) FROM passages").one()
        assert passages[0] == passages[1]
        assert connection.exec_driver_sql("SELECT count(*) FROM passages_fts").scalar() == passages[0]
        assert connection.exec_driver_sql("SELECT count(*) FROM vectors WHERE part = 0").scalar() == passages[0]
        for document in library.documents():
            text = library.document(document.id).text
            found = library.passages(document.id)
            assert found
            assert all(text[passage.start : passage.end] == passage.text for passage in found)
            assert found[-1].end == len(text.rstrip())
