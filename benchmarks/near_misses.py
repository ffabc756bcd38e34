"""How often the court and three other rules support claims that are true, nearly true, or false (METHOD 4.1).

    python benchmarks/near_misses.py [--runs 2000]

The last line is one JSON object.
"""

import argparse
import json

from agent.simulation import TRUTHS, simulate


def main() -> None:
    """Simulate every truth and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    rows = [simulate(truth, runs) for truth in TRUTHS]
    print(f"{'truth':38}{'court':>8}{'refuted':>9}{'POPPER':>8}{'Fisher':>8}{'2 of 3':>8}{'prompts':>9}")
    for row in rows:
        shares = (row.court_supported, row.court_refuted, row.popper_product, row.fisher, row.two_of_three)
        print(f"{row.truth:38}" + "".join(f"{share:8.3f}" for share in shares) + f"{row.mean_prompts:9.0f}")
    print(json.dumps({row.truth: row._asdict() for row in rows}))


if __name__ == "__main__":
    main()
