"""Fuzz the decoder of heart-rate notifications with a grammar of what straps send.

    uv run python -m benchmarks.fuzz_heart_rate [--messages 1000000] [--seed 1]

Each message is a heart rate, perhaps contact, energy and intervals, with oddities: zeros and codes
in places of intervals, the flag without intervals, reserved flags, padding, an odd byte, a cut at
any byte. The rate and the whole intervals must survive wherever they can be told.
Prints the counts.
"""

from __future__ import annotations

import argparse
from collections import Counter

from tests.support.heart_rate_grammar import check_messages


def main() -> None:
    """Print the counts; a message that is decoded wrongly raises AssertionError with its bytes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    counts: Counter[str] = check_messages(given.messages, given.seed)
    for name, count in sorted(counts.items()):
        print(f"{count:>9}  {name}")


if __name__ == "__main__":
    main()
