"""Claims about SmolLM2 and IOI whose truth was measured independently, on trial: does each get the verdict implied?

The expectations come from exact per-head effects on 256 prompts, patterns, copy scores and edges measured before this
project existed (docs/verdicts.md names them). A sentence expected to be true must be supported, a false one refuted;
inconclusive is reported as neither. The last line is one JSON object.

    python -m benchmarks.smollm2_ioi [--only WORD]
"""

import argparse
import json
import tempfile
from pathlib import Path

from agent.calibration import Court, Known, Tried
from ui.settings import load as load_settings

TRUE = {
    "necessity": [
        "head 23.3 is necessary for IOI",
        "head 20.0 is necessary for IOI",
        "head 17.4 is necessary for IOI",
        "head 16.0 is necessary for IOI",
        "head 29.1 is necessary for IOI",
        "head 19.2 is necessary for IOI",
        "head 24.4 hurts IOI",
        "head 29.0 hurts IOI",
    ],
    "sufficiency": [
        "patching head 23.3 restores IOI",
        "patching head 23.0 restores IOI",
        "patching head 23.1 restores IOI",
        "patching head 23.2 restores IOI",
        "patching head 29.1 restores IOI",
    ],
    "role": [
        "head 23.0 is a name mover head for IOI",
        "head 23.1 is a name mover head for IOI",
        "head 20.0 is an S-inhibition head for IOI",
        "head 24.4 is a negative name mover head for IOI",
    ],
    "edge": [
        "head 20.0 affects the query of head 23.0 in IOI",
        "head 19.2 affects the query of head 23.0 in IOI",
        "head 19.2 affects the query of head 20.0 in IOI",
        "head 19.2 affects the query of head 23.3 in IOI",
    ],
}
FALSE = {
    "necessity": [
        "head 23.0 is necessary for IOI",
        "head 23.1 is necessary for IOI",
        "head 23.2 is necessary for IOI",
        "head 18.6 is necessary for IOI",
        "head 25.2 is necessary for IOI",
        "head 24.4 is necessary for IOI",
        "head 29.0 is necessary for IOI",
    ],
    "sufficiency": [
        "patching head 20.0 restores IOI",
        "patching head 17.4 restores IOI",
        "patching head 16.0 restores IOI",
        "patching head 24.4 restores IOI",
    ],
    "role": [
        "head 23.3 is a name mover head for IOI",
        "head 24.5 is a name mover head for IOI",
        "head 20.0 is a name mover head for IOI",
        "head 25.2 is an S-inhibition head for IOI",
    ],
    "edge": [
        "head 18.6 affects the query of head 23.0 in IOI",
        "head 22.4 affects the query of head 23.0 in IOI",
    ],
}


def known_claims(only: str) -> list[Known]:
    """The sentences, true ones first; `only` keeps those that contain it."""
    return [
        Known(family=family, truth=truth, text=text)
        for truth, families in ((True, TRUE), (False, FALSE))
        for family, texts in families.items()
        for text in texts
        if only in text or only == family
    ]


def outcome(tried: Tried) -> str:
    """as implied, WRONG, or left open."""
    if tried.verdict == ("supported" if tried.known.truth else "refuted"):
        return "as implied"
    return "WRONG" if tried.wrong else "left open"


def main() -> None:
    """Try them all, print each verdict as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="a family, or a part of the sentence")
    options = parser.parse_args()
    counts = {"as implied": 0, "WRONG": 0, "left open": 0}
    seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="circuit-court-ioi-") as folder:
        court = Court(Path(folder), load_settings().models_dir)
        for tried in court.try_all("smollm2", "ioi", known_claims(options.only)):
            counts[outcome(tried)] += 1
            seconds += tried.seconds
            print(
                f"{outcome(tried):<10} {tried.verdict:<12} {tried.seconds:5.1f} s  {tried.known.text}: {tried.reason}",
                flush=True,
            )
    print(json.dumps({**{name.lower().replace(" ", "_"): n for name, n in counts.items()}, "seconds": round(seconds)}))


if __name__ == "__main__":
    main()
