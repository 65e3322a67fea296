"""``python -m tests.fuzz``: see the package."""

import argparse
import collections
import itertools
import pathlib
import sys
import time

import tests.fuzz
from tests.fuzz.running import Outcome, run_batch
from tests.fuzz.targets import TARGETS

FIRST, LARGEST = 50, 2000  # inputs in the first batch of a reader, and at most


def main() -> int:
    given = _arguments()
    names = given.only.split(",") if given.only else list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        print(f"error: --only={','.join(sorted(unknown))}: choose from {', '.join(TARGETS)}")
        return 2
    end = time.monotonic() + 60 * given.minutes
    outcomes: dict[str, Outcome] = dict.fromkeys(names, Outcome())
    spent: dict[str, float] = dict.fromkeys(names, 0.0)
    kinds: collections.Counter[str] = collections.Counter()
    sizes = dict.fromkeys(names, FIRST)
    for number in itertools.count():
        if time.monotonic() >= end:
            break
        name = min(names, key=spent.__getitem__)  # all get the same time
        began = time.monotonic()
        found = run_batch(name, given.seed + number, sizes[name], pathlib.Path(given.kept), end)
        seconds = time.monotonic() - began
        spent[name] += seconds
        outcomes[name] += found
        sizes[name] = min(LARGEST, 2 * sizes[name]) if seconds < given.batch else sizes[name]
        for finding in found.findings:
            kinds[finding.kind] += 1
            if kinds[finding.kind] == 1:
                print(f"FINDING {finding.input}\n{finding.said.strip()}\n", flush=True)
    _print_table(outcomes, spent)
    for kind, count in kinds.most_common():
        print(f"{count:6} x {kind}")
    return 1 if kinds else 0


def _print_table(outcomes: dict[str, Outcome], spent: dict[str, float]) -> None:
    print(f"{'reader':12}{'inputs':>9}{'read':>9}{'refused':>9}{'findings':>9}{'seconds':>9}")
    total = sum(outcomes.values(), Outcome())
    for name, found in {**outcomes, "all": total}.items():
        figures = found.inputs, found.read, found.refused, len(found.findings)
        seconds = spent.get(name, sum(spent.values()))
        print(f"{name:12}{''.join(f'{figure:9}' for figure in figures)}{seconds:9.0f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz",
        description=tests.fuzz.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=60, help="How long, over all readers.")
    parser.add_argument("--seed", type=int, default=0, help="Of all random numbers.")
    parser.add_argument("--only", default="", help=f"Some of {', '.join(TARGETS)}.")
    parser.add_argument("--kept", default="fuzz_findings", help="The folder for findings.")
    parser.add_argument("--batch", type=float, default=40, help="Seconds of a process, about.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
