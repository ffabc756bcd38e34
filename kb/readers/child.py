"""The process that `kb.readers.sandbox` starts: sets its own limits, reads one file, prints the documents as JSON.

python -m kb.readers.child MODULE PATH ORIGIN SECONDS MEMORY
"""

import importlib
import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from kb.errors import KbError
from kb.readers.sandbox import REFUSED


def main(module: str, path: str, origin: str, seconds: str, memory: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    try:
        documents = importlib.import_module(module).read(Path(path), origin=origin)
    except KbError as error:
        sys.stdout.write(str(error))
        return REFUSED
    sys.stdout.write(json.dumps([asdict(document) for document in documents]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
