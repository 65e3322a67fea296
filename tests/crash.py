"""Kill a run at many moments, continue it, and compare it with an unbroken run.

The command is ``python -m tests.crash --kills=20``.

The unbroken run comes first. In it, every call that changes the state on disk (Faults.install) is
counted, with its phase. Each kill then takes a fresh directory: the command gets SIGKILL before,
during or after one of these calls, or at a random time. Some are killed again at random times while
they continue. Then the command runs to its end. Every weight, every figure that is not a time, and
the list of files must equal those of the unbroken run. Exits 1 if any differs.

A child is a fork of a server process that has imported TensorFlow and done nothing with it yet,
which saves five seconds a run. In it the real command runs, rts_tf.main with its flags.
"""

import argparse
import collections
import contextlib
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

from rts_tf.cli.startup import set_environment

set_environment()  # before TensorFlow is imported

# A run of seconds that takes every path: several shards, checkpoints, warm start, warm-up and
# cosine, moving average
FLAGS = (
    "--network=residual1",
    "--stages=3",
    "--nostop_early",
    "--first_steps=12",
    "--later_steps=8",
    "--patch=32",
    "--batch=2",
    "--warmup=3",
    "--ema=0.9",
    "--checkpoint_every=4",
    "--images_per_shard=2",
    "--tile=64",
)
# (kind, phase) of the fault points that even a few kills must meet.
MUST = (
    ("checkpoint", "Phase A"),
    ("write a record", "Phase B"),
    ("publish", "Phase B"),
    ("between steps", "Phase A"),
)
# Files of a finished run that may differ: their names hold a time
UNCOMPARED = ("logs",)


def write_images(folder: pathlib.Path, count: int = 7, side: int = 96) -> list[str]:
    """Write small crops of the images in scikit-image, and return the flags that name them."""
    from PIL import Image
    from skimage import data

    sources = (
        data.chelsea(),
        data.coffee(),
        data.astronaut(),
        data.rocket(),
        data.stereo_motorcycle()[0],
    )
    for i in range(count):
        (folder / "validation" if i < 2 else folder / "training").mkdir(parents=True, exist_ok=True)
        picture, top = sources[i % len(sources)], 40 + 60 * (i // len(sources))
        crop = picture[top : top + side + 8 * i, 60 : 60 + side + 16]
        Image.fromarray(crop).save(folder / ("validation" if i < 2 else "training") / f"{i}.png")
    return [f"--data={folder / 'training'}", f"--validation={folder / 'validation'}"]


# ---- in the child


def command(
    flags: list[str], log: str, prepare=None, arguments: tuple = (), environment: dict | None = None
) -> None:
    """Run the real command with ``flags`` in a child, after ``prepare(*arguments)``.

    Output goes to ``log``. ``environment``: Variables to set.
    """
    os.environ.update(environment or {})
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1), os.dup2(output, 2)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2)
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from rts_tf import main

    if prepare:
        prepare(*arguments)
    main.FLAGS(["main", *flags])
    sys.exit(main.main(["main"]))


class Faults:
    """Wraps the calls at which the state on disk changes, to list them or to die at one."""

    def __init__(self, trace: str = "", fault: dict | None = None, pipe=None):
        """``trace``: a file for one JSON line per call.

        ``fault``: {kind, phase, number, mode}, the number-th of its
        kind in its phase; "during" writes to ``pipe``."""
        self.trace, self.fault, self.pipe = trace, fault, pipe
        self.count, self.phase = collections.Counter(), ["start"]

    def install(self) -> None:
        import tensorflow as tf

        from rts_tf.cli.progress import RunProgress
        from rts_tf.training import recurrence, summary, validation
        from rts_tf.training.cluster import Cluster
        from rts_tf.training.stage import Stage

        def rename(source, *_):
            return "publish" if str(source).endswith(".partial") else "rename"

        self.wrap(os, "replace", rename)
        self.wrap(os, "fsync", "fsync")
        self.wrap(os, "unlink", "delete")
        self.wrap(os, "rmdir", "delete")
        self.wrap(tf.io.TFRecordWriter, "write", "write a record")
        self.wrap(tf.train.CheckpointManager, "save", "checkpoint")
        self.wrap(Stage, "write_network", "save the network")
        self.wrap(RunProgress, "advance", "between steps")
        self.wrap(Cluster, "exchange", "exchange")
        phases = {
            "prepare": "sources",
            "run_phase_a": "Phase A",
            "run_phase_b": "Phase B",
            "validate": "validation",
            "finish": "finish",
        }
        for module in (recurrence, validation, summary):
            for name in phases.keys() & vars(module).keys():
                if name != module.__name__.rpartition(".")[2]:
                    self.label(module, name, phases[name])

    def wrap(self, owner, name: str, kind) -> None:
        real = getattr(owner, name)

        def wrapped(*args, **kwargs):
            its = kind if isinstance(kind, str) else kind(*args)
            phase, fault = self.phase[-1], self.fault or {}
            self.count[its, phase] += 1
            number = self.count[its, phase]
            here = (its, phase, number) == tuple(
                fault.get(key) for key in ("kind", "phase", "number")
            )
            mode = fault["mode"] if here else None
            if mode == "before":
                os.kill(os.getpid(), fault.get("signal", signal.SIGKILL))
            if mode == "during":
                self.pipe.send_bytes(b"now")
            began = time.perf_counter()
            result = real(*args, **kwargs)
            if mode == "after":
                os.kill(os.getpid(), fault.get("signal", signal.SIGKILL))
            if self.trace:
                with open(self.trace, "a") as file:
                    line = {
                        "kind": its,
                        "number": number,
                        "phase": phase,
                        "seconds": time.perf_counter() - began,
                    }
                    print(json.dumps(line), file=file)
            return result

        setattr(owner, name, wrapped)

    def label(self, owner, name: str, phase: str) -> None:
        real = getattr(owner, name)

        def labelled(*args, **kwargs):
            self.phase.append(phase)
            try:
                return real(*args, **kwargs)
            finally:
                self.phase.pop()

        setattr(owner, name, labelled)


def install_faults(*arguments) -> None:
    Faults(*arguments).install()


# ---- in the parent


class Runner:
    """Runs the command in children forked from one server."""

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["rts_tf.training.recurrence", "rts_tf.report", "rts_tf.main", "tests.support.frozen"]
        )

    def start(
        self,
        flags: list[str],
        log: pathlib.Path,
        prepare=None,
        arguments: tuple = (),
        environment: dict | None = None,
    ):
        process = self._context.Process(
            target=command, args=(flags, str(log), prepare, arguments, environment), daemon=True
        )
        process.start()
        return process

    def finish(self, process, timeout: float = 600) -> int:
        """The exit code; negative: the signal that ended it."""
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"the command did not end within {timeout} s")
        return process.exitcode

    def run(self, flags: list[str], log: pathlib.Path, prepare=None, arguments: tuple = ()) -> int:
        return self.finish(self.start(flags, log, prepare, arguments))

    def trace(self, flags: list[str], directory: pathlib.Path) -> tuple[list[dict], float]:
        """The unbroken run in ``directory``: its fault points and its seconds."""
        trace, log, began = (
            directory.with_suffix(".trace"),
            directory.with_suffix(".log"),
            time.monotonic(),
        )
        code = self.run([*flags, f"--workdir={directory}"], log, install_faults, (str(trace),))
        seconds = time.monotonic() - began
        if code:
            raise RuntimeError(f"the unbroken run ended with {code}:\n{log.read_text()}")
        return [json.loads(line) for line in trace.read_text().splitlines()], seconds

    def kill(self, flags: list[str], directory: pathlib.Path, fault: dict) -> bool:
        """Run in ``directory`` until ``fault``, and return whether the run died of it.

        ``fault``: A fault point, or {"seconds": s}.
        """
        flags, log = [*flags, f"--workdir={directory}"], directory.with_suffix(".log")
        if "kind" not in fault:
            process = self.start(flags, log)
            process.join(fault["seconds"])
            process.kill()
            return self.finish(process) == -signal.SIGKILL
        ours, theirs = self._context.Pipe(duplex=False)
        process = self.start(flags, log, install_faults, ("", fault, theirs))
        theirs.close()

        def watch():
            with contextlib.suppress(EOFError):
                ours.recv_bytes()
                time.sleep(fault.get("delay", 0))
                process.kill()

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = self.finish(process)
        watcher.join()
        return code == -signal.SIGKILL


def outcome(directory: pathlib.Path) -> dict:
    """All that must be equal in two finished runs."""
    summary = json.loads((directory / "summary.json").read_text())
    files = (path.relative_to(directory) for path in directory.rglob("*"))
    return {
        "weights": summary["weights_sha256"],
        "stages": [
            {k: v for k, v in stage.items() if "seconds" not in k} for stage in summary["stages"]
        ],
        "files": sorted(str(file) for file in files if file.parts[0] not in UNCOMPARED),
    }


def differences(one: dict, other: dict) -> str:
    """What differs in two outcomes; empty: nothing."""
    found = [key for key in ("weights", "stages") if one[key] != other[key]]
    return ", ".join(found + sorted(set(one["files"]) ^ set(other["files"])))


def spread(points: list[dict], kills: int, seconds: float, seed: int) -> list[list[dict]]:
    """Make ``kills`` plans: each has a first fault, and some have more at random times.

    A quarter is at random times; the others take turns over every kind of call in every phase
    (MUST first, then in an order
    drawn at random) and over before, during and after.
    """
    rng = random.Random(seed)
    groups = collections.defaultdict(list)
    for point in points:
        groups[point["kind"], point["phase"]].append(point)
    others = sorted(set(groups) - set(MUST))
    order = [*MUST, *rng.sample(others, len(others))]
    plans = []
    for i in range(kills):
        if i % 4 == 3:
            first = {"seconds": rng.uniform(0.1, 1) * seconds}
        else:
            point = rng.choice(groups[order[(i - i // 4) % len(order)]])
            mode = ("before", "during", "after")[i % 3]
            first = {**point, "mode": mode, "delay": rng.uniform(0, point["seconds"])}
        plans.append(
            [first]
            + [
                {"seconds": rng.uniform(0.1, 0.8) * seconds}
                for _ in range(rng.choice((0, 0, 1, 2)))
            ]
        )
    return plans


def describe(fault: dict) -> tuple[str, str]:
    if "kind" not in fault:
        return f"after {fault['seconds']:.2f} s", "random"
    return f"{fault['mode']} {fault['kind']} {fault['number']}", fault["phase"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills", type=int, default=20, help="kill points; some runs are killed more than once"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice of kill points")
    parser.add_argument(
        "--preset-run", action="store_true", help="the real quick preset: minutes for each kill"
    )
    options = parser.parse_args()
    runner, bad, killed = Runner(), 0, 0
    with tempfile.TemporaryDirectory(prefix="rts_crash_") as folder:
        folder = pathlib.Path(folder)
        flags = [] if options.preset_run else [*FLAGS, *write_images(folder / "images")]
        points, seconds = runner.trace(flags, folder / "unbroken")
        expected = outcome(folder / "unbroken")
        print(
            f"unbroken: {seconds:.1f} s, weights {expected['weights'][:16]};"
            " calls by kind and phase:"
        )
        for (kind, phase), count in sorted(
            collections.Counter((p["kind"], p["phase"]) for p in points).items()
        ):
            print(f"  {count:4d}  {phase}: {kind}")
        print(f"{'killed':34s} {'phase':8s} {'again':>5s} {'seconds':>7s}  equal", flush=True)
        for i, plan in enumerate(spread(points, options.kills, seconds, options.seed)):
            directory, began = folder / f"kill_{i}", time.monotonic()
            died = [runner.kill(flags, directory, plan[0])]
            while not died[0] and "kind" not in plan[0]:  # it ran faster than the unbroken one
                shutil.rmtree(directory)
                plan[0]["seconds"] /= 2
                died = [runner.kill(flags, directory, plan[0])]
            died += [runner.kill(flags, directory, fault) for fault in plan[1:]]
            code = runner.run([*flags, f"--workdir={directory}"], directory.with_suffix(".log"))
            differing = (
                differences(expected, outcome(directory)) if code == 0 else f"exit code {code}"
            )
            if not died[0]:
                differing = differing or "it was not killed"
            bad, killed = bad + bool(differing), killed + sum(died)
            took, equal = time.monotonic() - began, f"NO: {differing}" if differing else "yes"
            what, phase = describe(plan[0])
            print(f"{what:34s} {phase:8s} {sum(died[1:]):5d} {took:7.1f}  {equal}", flush=True)
            if differing:
                print(directory.with_suffix(".log").read_text()[-2000:])
        print(f"{options.kills - bad} of {options.kills} equal ({killed} kills)")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
