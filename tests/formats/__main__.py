"""Enhances random videos and images with strength 0, and accounts for all that they hold.

::

    python -m tests.formats --videos=450 --images=2000 --seed=0 --table=docs/formats.md
    python -m tests.formats --only=video:137

Each line about a loss in silence, a wrong result or a crash begins with what makes it again alone.
The exit code is 1 if there is any.
"""

import argparse
import collections
import os
import pathlib
import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rts_tf.cli.startup import set_environment
from tests.formats.outcome import Outcome
from tests.formats.page import page
from tests.formats.workers import Task, check, outcomes

SHOWN = 5  # of the faults of one kind


def main() -> int:
    given = _arguments()
    if given.only:
        return _check_one(given.only, given.seed)
    tasks = [Task("video", i) for i in range(given.videos)]
    tasks += [Task("image", i) for i in range(given.images)]
    began = time.monotonic()
    found = _check_all(tasks, given.seed, given.processes)
    faults = sum(_report(kind, found[kind], given.seed) for kind in ("video", "image"))
    if given.table:
        text = page(found["video"], found["image"], given.seed)
        pathlib.Path(given.table).write_text(text, encoding="utf-8")
        print(f"table: {given.table}")
    print(f"{len(tasks)} files in {time.monotonic() - began:.0f} s, {faults} of them with faults")
    return 1 if faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.formats", description=__doc__.split("\n")[0])
    parser.add_argument("--videos", type=int, default=450, help="How many random videos.")
    parser.add_argument("--images", type=int, default=2000, help="How many random images.")
    parser.add_argument("--seed", type=int, default=0, help="Of all random numbers.")
    parser.add_argument("--table", default="", help="File to write, such as docs/formats.md.")
    parser.add_argument("--only", default="", help="One file alone, such as video:137.")
    parser.add_argument(
        "--processes",
        type=int,
        default=max(1, min(4, os.cpu_count() or 1)),
        help="How many files side by side.",
    )
    return parser.parse_args()


def _check_one(only: str, seed: int) -> int:
    kind, _, number = only.partition(":")
    if kind not in ("video", "image") or not number.isdigit():
        print(f"error: --only={only}: name a kind and a number, as in video:137", file=sys.stderr)
        return 1
    set_environment()
    outcome = check(Task(kind, int(number)), seed)
    print(outcome.what)
    for line in outcome.lines:
        print(f"  it printed: {line}")
    for row, fate in outcome.fates:
        print(f"  {row}: {fate}")
    for fault, detail in outcome.faults:
        print(f"  FAULT {fault} {detail}")
    return 1 if outcome.faults else 0


def _check_all(tasks: list[Task], seed: int, processes: int) -> dict[str, list[Outcome]]:
    """The outcomes of ``tasks`` by their kind, in the order of their numbers."""
    found: dict[str, list[Outcome]] = {"video": [], "image": []}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn()) as progress:
        bar = progress.add_task("random files", total=len(tasks))
        for task, outcome in outcomes(tasks, seed, processes):
            found[task.kind].append(outcome)
            progress.advance(bar)
    return {kind: sorted(each) for kind, each in found.items()}


def _report(kind: str, found: list[Outcome], seed: int) -> int:
    """Print the faults by their kind and the reasons of refusals; returns how many have faults."""
    if not found:
        return 0
    by_fault = collections.defaultdict(list)
    for outcome in found:
        for fault, detail in outcome.faults:
            by_fault[fault].append((outcome, detail))
    refused = collections.Counter(outcome.refused for outcome in found if outcome.refused)
    first = {outcome.refused: outcome.number for outcome in reversed(found)}
    faulty = sum(bool(outcome.faults) for outcome in found)
    print(f"\n{len(found)} {kind}s: {sum(refused.values())} refused, {faulty} with faults")
    for reason, count in refused.most_common():
        print(f"  refused {count}: {reason} ({kind}:{first[reason]})")
    for fault, cases in sorted(by_fault.items(), key=lambda item: -len(item[1])):
        print(f"  FAULT {len(cases)}: {fault}")
        for outcome, detail in cases[:SHOWN]:
            print(f"    --seed={seed} --only={kind}:{outcome.number} {outcome.what}: {detail}")
    return faulty


if __name__ == "__main__":
    sys.exit(main())
