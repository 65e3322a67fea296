"""Kill the enhancement of a video at random times, continue it, and compare.

The command is ``python -m tests.crash_video --kills=5``.

A clip with sound is made from an image in motion: ten seconds of 1080p, if nothing else is asked
for. It is enhanced once without a break, then again, killed at random times. The result must have
the streams, durations and times of the clip,
and frame by frame the pixels of the unbroken run. Exits 1 if it has not. About as long as two runs.
"""

import argparse
import hashlib
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import av

from rts_tf.cli.startup import set_environment
from tests.support.videos import contents, make

START = 4.0  # seconds, about, until the command has loaded TensorFlow
TICK = 1.01 / 90000  # seconds
LENGTH = (
    1.01e-3  # MP4 has the length of streams that begin before zero, as AAC does, in milliseconds
)


def enhance(
    video: pathlib.Path, output: pathlib.Path, model: str, killed_after: float = 0.0
) -> bool:
    """Run the command; True if it ended by itself. Exits if it failed."""
    command = [
        sys.executable,
        "-m",
        "rts_tf.enhance",
        str(video),
        f"--output={output}",
        f"--model={model}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        code = process.wait(killed_after or None)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False
    if code:
        sys.exit(f"the command failed ({code})")
    return True


def network(path: pathlib.Path) -> str:
    """A small one that sharpens a little: what is tested lies around it."""
    set_environment()
    import keras

    from rts_tf.networks.layers import BicubicUpscaling

    image = keras.Input((None, None, 3))
    start = keras.initializers.RandomNormal(stddev=0.1, seed=1)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", kernel_initializer=start)(
        image
    )
    x = keras.layers.Conv2D(3, 3, padding="same", kernel_initializer=start)(x)
    keras.Model(image, BicubicUpscaling()(keras.layers.Add()([image, x]))).save(path)
    return str(path)


def frames(path: pathlib.Path) -> list[str]:
    """A digest of each decoded frame."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return [
            hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()
            for frame in container.decode(video=0)
        ]


def differences(video: pathlib.Path, made: pathlib.Path) -> list[str]:
    """In what an enhanced video is not as its source."""
    before, after = contents(video), contents(made)
    found = [] if [s[:3] for s in before.streams] == [s[:3] for s in after.streams] else ["streams"]
    lengths = [(one[3], two[3]) for one, two in zip(before.streams, after.streams)]
    lengths.append((before.duration / 1e6, after.duration / 1e6))
    found += [f"duration {one} {two}" for one, two in lengths if abs(one - two) > LENGTH]
    if (
        len(before.times) != len(after.times)
        or max(abs(a - b) for a, b in zip(before.times, after.times)) > TICK
    ):
        found.append("times of the frames")
    return (
        found
        + ["audio"] * (before.copied != after.copied)
        + ["colours or size"] * (before.kind != after.kind)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080))
    parser.add_argument("--model", default="", help="default: a small one made here")
    parser.add_argument("--seed", type=int, default=0, help="of the times; 0: a new one")
    options = parser.parse_args()
    seed = options.seed or random.SystemRandom().randrange(1, 10**6)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        video = make(
            folder / "clip.mp4", count=options.frames, size=tuple(options.size), audio="aac"
        )
        model = options.model or network(folder / "model.keras")
        began = time.monotonic()
        enhance(video, folder / "unbroken.mp4", model)
        took = time.monotonic() - began
        print(
            f"unbroken: {took:.0f} s, {options.frames / took:.2f} frames/s with the start",
            flush=True,
        )
        killed = 0
        while killed < options.kills:
            after = START + chance.uniform(0, 1.2 / options.kills) * took
            if enhance(video, folder / "killed.mp4", model, after):
                break
            killed += 1
            there = len(list((folder / ".killed.mp4.rts").glob("[0-9]*.nut")))
            print(f"kill {killed} after {after:.1f} s: {there} segments", flush=True)
        else:
            enhance(video, folder / "killed.mp4", model)
        wrong = differences(video, folder / "unbroken.mp4") + differences(
            video, folder / "killed.mp4"
        )
        one, two = frames(folder / "unbroken.mp4"), frames(folder / "killed.mp4")
        wrong += [f"frame {i}" for i, (a, b) in enumerate(zip(one, two)) if a != b]
        wrong += [f"{len(one)} and {len(two)} frames"] * (
            not len(one) == len(two) == options.frames
        )
        wrong += [f"left behind: {p.name}" for p in folder.iterdir() if p.name.startswith(".")]
        same = (folder / "unbroken.mp4").read_bytes() == (folder / "killed.mp4").read_bytes()
        verdict = "; ".join(wrong[:9]) or "identical frames"
        print(f"{killed} kills (seed {seed}), {len(one)} frames; {verdict}; bytes equal: {same}")
        sys.exit(bool(wrong) or killed < options.kills)


if __name__ == "__main__":
    main()
