"""Begin with an earlier version of the code and continue with this one.

The command is ``python -m tests.upgrade REVISION``. Runs of the earlier version are killed
(SIGKILL) in Phase A of stages 1 and 2 and in Phase B, and a video is killed after two segments.
This version continues them. The weights, the metrics of the stages and the frames must be those of
unbroken runs of the earlier version. Git provides the files of the revision. Exits 1 if anything
differs.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from tests.crash import outcome, write_images
from tests.crash_video import frames, network
from tests.support.paths import ROOT
from tests.support.videos import make

FLAGS = (
    "--network=residual1",
    "--stages=3",
    "--nostop_early",
    "--first_steps=80",
    "--later_steps=60",
    "--patch=32",
    "--batch=2",
    "--ema=0.9",
    "--checkpoint_every=5",
    "--images_per_shard=2",
)
# Where a run is killed: as soon as a file that matches is there.
MILESTONES = (
    "stage_1/checkpoint/ckpt-10.index",
    "stage_2/checkpoint/ckpt-10.index",
    "stage_1/targets.partial/00000.json",
    "stage_2/targets/manifest.json",
    "stage_3/phase_a.json",
)
NEW_FILES = {"machine.json"}  # that earlier versions do not write


@contextlib.contextmanager
def checkout(revision: str) -> Iterator[pathlib.Path]:
    """A directory with the files of ``revision``."""
    git = ["git", "-C", str(ROOT)]
    with tempfile.TemporaryDirectory(prefix="rts_upgrade_") as name:
        folder = pathlib.Path(name)
        archive = subprocess.run([*git, "archive", revision], check=True, stdout=subprocess.PIPE)
        (folder / "code").mkdir()
        subprocess.run(["tar", "-x", "-C", folder / "code"], check=True, input=archive.stdout)
        yield folder


def start(code: pathlib.Path, module: str, *arguments: object) -> subprocess.Popen:
    """Start a command of the code in the directory ``code``."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.Popen(words, cwd=code, stdout=subprocess.DEVNULL)


def finish(code: pathlib.Path, module: str, *arguments: object) -> None:
    """Run a command to its end. Exits if it fails."""
    if status := start(code, module, *arguments).wait():
        sys.exit(f"{module} failed ({status})")


def kill_at(process: subprocess.Popen, folder: pathlib.Path, pattern: str, count: int = 1) -> None:
    """Kill ``process`` when ``count`` files in ``folder`` match. Exits if it ends before."""
    while len(list(folder.glob(pattern))) < count:
        if process.poll() is not None:
            sys.exit(f"the command ended before {pattern} was there")
        time.sleep(0.002)
    process.kill()
    process.wait()


def continued_runs(folder: pathlib.Path) -> int:
    """Kill runs of the earlier version at each milestone and continue them: how many differ."""
    old, wrong = folder / "code", 0
    flags = [*FLAGS, *write_images(folder / "images")]
    finish(old, "rts_tf.main", *flags, f"--workdir={folder / 'unbroken'}")
    expected = outcome(folder / "unbroken")
    for number, milestone in enumerate(MILESTONES):
        workdir = folder / f"run_{number}"
        command = ("rts_tf.main", *flags, f"--workdir={workdir}")
        kill_at(start(old, *command), workdir, milestone)
        finish(ROOT, *command)
        found = outcome(workdir)
        found["files"] = [file for file in found["files"] if file not in NEW_FILES]
        differing = [key for key in expected if found[key] != expected[key]]
        wrong += bool(differing)
        print(f"run killed at {milestone}: {', '.join(differing) or 'equal'}", flush=True)
    return wrong


def continued_video(folder: pathlib.Path) -> int:
    """The same with a video."""
    old, video, model = folder / "code", folder / "clip.mp4", folder / "model.keras"
    make(video, count=300, size=(640, 360), audio="aac")
    network(model)
    command = ("rts_tf.enhance", video, f"--model={model}")
    finish(old, *command, f"--output={folder / 'unbroken.mp4'}")
    output = folder / "killed.mp4"
    process = start(old, *command, f"--output={output}")
    kill_at(process, folder / ".killed.mp4.rts", "[0-9]*.nut", count=2)
    kept = {file: file.stat().st_mtime_ns for file in folder.glob(".killed.mp4.rts/0*.nut")}
    process = start(ROOT, *command, f"--output={output}")
    while process.poll() is None:  # the segments of the earlier version are not made again
        for file in kept:
            with contextlib.suppress(FileNotFoundError):
                assert file.stat().st_mtime_ns == kept[file], f"{file.name} was made again"
        time.sleep(0.1)
    equal = frames(output) == frames(folder / "unbroken.mp4")
    print(f"video killed after two segments: {'equal frames' if equal else 'other frames'}")
    return not equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", help="of the earlier version, e.g. a commit or a tag")
    with checkout(parser.parse_args().revision) as folder:
        wrong = continued_runs(folder) + continued_video(folder)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
