"""The vector index, and the Chroma traps of PITFALLS.md that show in it; the others are in test_chroma_use and test_foreign_generations."""

import socket
import subprocess
import sys
import textwrap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import ClassVar

import numpy as np
import pytest

from kb.chroma_server import ChromaServer
from kb.errors import VectorIndexError
from kb.library import Library
from kb.vectors import BATCH, VectorIndex


def unit(rng, count, width=16):
    vectors = rng.normal(size=(count, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def vectors():
    return unit(np.random.default_rng(0), 50)


@pytest.fixture
def index(tmp_path):
    opened = VectorIndex(tmp_path / "vectors")
    yield opened
    opened.close()


def names(count, start=0):
    return [f"p{number}" for number in range(start, start + count)]


def test_nearest_is_exact_on_a_small_index(index, vectors):
    generation = index.build([(names(50), vectors)])
    found = index.nearest(generation, vectors[7], 5)
    expected = np.argsort(-(vectors @ vectors[7]))[:5]
    assert [name for name, _ in found] == [f"p{place}" for place in expected]
    assert found[0][1] == pytest.approx(1.0, abs=1e-5)
    assert found[1][1] == pytest.approx(float(vectors[expected[1]] @ vectors[7]), abs=1e-4)


def test_threads_that_ask_at_once_share_one_opening(index, vectors):
    generation = index.build([(names(50), vectors)])
    start = Barrier(6)
    found = []

    def ask():
        start.wait()
        found.append(index.nearest(generation, vectors[7], 1)[0][0])

    for _ in range(3):  # an opening that is raced fails in most runs, not in all
        index.close()
        threads = [Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["p7"] * 18


def test_more_than_chroma_takes_at_once(index):
    many = unit(np.random.default_rng(1), BATCH + 2000, 4)
    assert len(many) > 5461
    generation = index.build([(names(len(many)), many)])
    assert index.nearest(generation, many[-1], 1)[0][0] == f"p{len(many) - 1}"


def test_not_a_number_is_refused_before_chroma_sees_it(index, vectors):
    broken = vectors.copy()
    broken[3, 2] = np.nan
    with pytest.raises(VectorIndexError, match="NaN"):
        index.build([(names(50), broken)])


def test_a_new_generation_is_seen_by_a_process_that_has_the_old_one_open(tmp_path, vectors):
    """Trap 5: a second process that reads a Chroma folder while it changes gets stale results."""
    folder = tmp_path / "vectors"
    writer = VectorIndex(folder)
    first = writer.build([(names(20), vectors[:20])])
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        import numpy as np
        from kb.vectors import VectorIndex
        index = VectorIndex(Path({str(folder)!r}))
        for line in sys.stdin:
            generation, row = line.split()
            vector = np.load({str(tmp_path / "v.npy")!r})[int(row)]
            print(index.nearest(generation, vector, 1)[0][0], flush=True)
    """)
    np.save(tmp_path / "v.npy", vectors)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin and reader.stdout
        reader.stdin.write(f"{first} 5\n")
        reader.stdin.flush()
        assert reader.stdout.readline().strip() == "p5"
        second = writer.build([(names(50), vectors)])
        reader.stdin.write(f"{second} 45\n")
        reader.stdin.flush()
        assert reader.stdout.readline().strip() == "p45"
        reader.stdin.close()
    writer.close()


def test_rebuilding_leaves_no_old_files(index, vectors):
    """Trap 5: deleting a collection leaves its files; a generation is a folder that goes as a whole."""
    first = index.build([(names(50), vectors)])
    second = index.build([(names(50), vectors)])
    index.drop_others([second])
    assert [path.name for path in index.folder.glob("g*")] == [second]
    with pytest.raises(VectorIndexError, match="library build"):
        index.nearest(first, vectors[0], 1)


def test_two_indexes_in_one_process_share_nothing(tmp_path, vectors):
    """Trap 7: in-memory clients share their data; these are folders."""
    one, two = VectorIndex(tmp_path / "one"), VectorIndex(tmp_path / "two")
    first, second = one.build([(names(10), vectors[:10])]), two.build([(names(10, 100), vectors[10:20])])
    assert one.nearest(first, vectors[0], 1)[0][0] == "p0"
    assert two.nearest(second, vectors[0], 1)[0][0] != "p0"
    one.close()
    two.close()


def test_a_foreign_folder_is_never_opened(index, vectors):
    """Trap 6: a Chroma folder from elsewhere can run code. Only generations that this library wrote have a name it knows."""
    (index.folder / "chroma").mkdir(parents=True)
    (index.folder / "chroma" / "chroma.sqlite3").write_bytes(b"not ours")
    generation = index.build([(names(5), vectors[:5])])
    assert index.nearest(generation, vectors[0], 1)[0][0] == "p0"
    assert generation != "chroma"
    assert len(generation) == 17


@pytest.fixture(scope="module")
def chroma_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chroma")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).parent / "chroma"
    command = [str(chroma), "run", "--path", str(folder / "s"), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            wait_for(port, server)
            yield ChromaServer(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def test_a_real_chroma_server_holds_generations(tmp_path, vectors, chroma_server):
    index = VectorIndex(tmp_path / "unused", server=chroma_server)
    first = index.build([(names(20), vectors[:20])])
    second = index.build([(names(50), vectors)])
    assert index.nearest(second, vectors[45], 1)[0][0] == "p45"
    index.drop_others([second])
    assert (index.exists(first), index.exists(second)) == (False, True)
    assert not (tmp_path / "unused").exists()


def test_libraries_that_share_a_server_leave_each_other_alone(tmp_path, vectors, chroma_server):
    one, two = (VectorIndex(tmp_path, server=chroma_server, owner=owner) for owner in ("aa11", "bb22"))
    first, second = one.build([(names(20), vectors[:20])]), two.build([(names(20), vectors[20:40])])
    two.drop_others([second])
    assert one.nearest(first, vectors[7], 1)[0][0] == "p7"
    assert two.nearest(second, vectors[27], 1)[0][0] == "p7"


def test_a_library_searches_through_a_server(tmp_path, word_embedder, write_notes, chroma_server, monkeypatch):
    monkeypatch.setattr("kb.dense.YOUNG", 5)
    vault = write_notes({f"n{n}.md": f"note{n} about topic{n % 7}" for n in range(12)})
    with Library.open(tmp_path / "home", embedder=word_embedder, chroma=chroma_server) as library:
        library.add(vault)
        assert library.search("note7 about topic0").hits[0].document_id == "n7"
        assert library.store.setting("index_generation")
    assert not (tmp_path / "home" / "vectors" / "chroma.sqlite3").exists()


class Refusing(BaseHTTPRequestHandler):
    """A cloud that wants another key."""

    seen: ClassVar[list[str]] = []

    def do_GET(self):
        self.seen.append(self.headers.get("x-chroma-token", ""))
        body = f'{{"error": "key {self.seen[-1]} refused"}}'.encode()
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Quiet."""


def test_a_refused_key_is_sent_and_never_shown(tmp_path, vectors):
    cloud = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=cloud.serve_forever, daemon=True).start()
    place = ChromaServer(f"http://127.0.0.1:{cloud.server_port}", api_key="ck-very-secret", tenant="t", database="d")
    with pytest.raises(VectorIndexError, match="CHROMA_URL, _API_KEY") as refused:
        VectorIndex(tmp_path, server=place).build([(names(5), vectors[:5])])
    cloud.shutdown()
    cloud.server_close()
    assert "ck-very-secret" in Refusing.seen
    assert "ck-very-secret" not in f"{refused.value} {refused.value!r} {place!r} {refused.value.__cause__!r}"


def test_a_server_that_is_not_there_is_said_in_a_sentence(tmp_path, vectors):
    with pytest.raises(VectorIndexError, match="cannot be used"):
        VectorIndex(tmp_path, server=ChromaServer("http://127.0.0.1:9")).build([(names(5), vectors[:5])])


def wait_for(port, server):
    for _ in range(300):
        assert server.poll() is None, "the Chroma server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the Chroma server did not start")
