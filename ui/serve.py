"""The Streamlit server as a child process: started on a free port of this machine, waited for, ended for good.

It knows nothing of workers. The server is told its port; everything else of its manners stands in
`.streamlit/config.toml`, which Streamlit reads from the checkout's root.
"""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from agent.config import Config
from agent.errors import WorkerError
from ui.settings import child_environment

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 60.0
END_WITHIN_SECONDS = 5.0


def check_port(port: int) -> None:
    """Raise WorkerError with the remedy when something listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise WorkerError(
                f"Port {port} of {HOST} cannot be used ({taken.strerror}); is the app running already? "
                f"Open http://{HOST}:{port}, or choose another port: circuit-court app --port {port + 1}"
            ) from taken


class AppServer:
    """One Streamlit server. Use as a context manager: leaving ends the process."""

    def __init__(self, config: Config, port: int) -> None:
        check_port(port)
        self.url = f"http://{HOST}:{port}"
        self._log_path = config.logs_dir / "app.log"
        self._log_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = self._log_path.open("ab")
        command = [sys.executable, "-m", "ui.app_process", str(port)]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=child_environment(config),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the parent only, which then ends this in order
        )

    def __enter__(self) -> "AppServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Return when the server answers. Raises WorkerError naming its log when it does not come up."""
        until = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < until and self.running:
            health = f"{self.url}/_stcore/health"
            with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(health, timeout=1):
                return
            time.sleep(0.1)
        raise WorkerError(f"The app did not start. Its last words are in {self._log_path}")

    def check(self) -> None:
        """Raise WorkerError when the server has ended by itself."""
        if not self.running:
            raise WorkerError(f"The app's server ended by itself. Its last words are in {self._log_path}")

    def stop(self) -> None:
        """End the process: it leaves when its input closes, and is killed when it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
