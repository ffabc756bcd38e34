"""The Streamlit server's process: `python -m ui.app_process PORT`. It lives as long as its standard input is open.

`circuit-court app` holds the other end, so the server is gone when the command is gone, however that ends.
"""

import os
import sys
import threading
from pathlib import Path

from streamlit.web import cli

APP = Path(__file__).with_name("app.py")


def _live_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serve the app on the port named on the command line."""
    threading.Thread(target=_live_with_parent, daemon=True).start()
    sys.argv = ["streamlit", "run", str(APP), "--server.port", sys.argv[1]]
    cli.main()


if __name__ == "__main__":
    main()
