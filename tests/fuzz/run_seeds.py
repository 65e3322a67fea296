"""The files of a run directory that are damaged, and how each is read."""

import contextlib
import dataclasses
import functools
import io
import json
import pathlib
import random
import shutil
import struct
import tempfile

import numpy as np

from rts_tf.config import preset
from rts_tf.errors import RtsError
from tests.fuzz import mutation, seeds
from tests.support.image_files import EIGHT

CONFIG = preset("quick", network="residual1", precision="float32")
SUMMARY = {
    "network": "residual1",
    "selected_stage": 1,
    "ranges": [1.5, 2.5],
    "config": dataclasses.asdict(CONFIG),
    "stages": [{"stage": 1, "psnr": 33.25, "weights_sha256": "ab" * 32}],
    "originals": {},
}
_IN_RUN = {
    "machine.json": {"instruction_sets": ["AVX2"]},
    "summary.json": SUMMARY,
    "final.keras": {},
    "stage_1/metrics.json": SUMMARY["stages"][0],
    "stage_1/phase_b_targets.json": {"seconds": 1.5},
}


def documents() -> dict[str, tuple[bytes, ...]]:
    return {".json": tuple(map(seeds.as_json, (SUMMARY, _IN_RUN)))}


@functools.cache
def runs() -> dict[str, tuple[bytes, ...]]:
    """A run directory, as one JSON document of the files in it, whose contents are text."""
    files = {name: json.dumps(contents) for name, contents in _IN_RUN.items()}
    files["config.json"] = CONFIG.to_json()
    for name in ("manifest.json", "00000.json", "00000.tfrecord"):
        files[f"source/{name}"] = _shard_set()[name].decode("latin-1")
    return {".json": (seeds.as_json(files),)}


def in_file(contents: bytes, others: tuple[bytes, ...], rng: random.Random) -> bytes:
    """Damage one file of a document of files."""
    files = json.loads(contents)
    name = rng.choice(list(files))
    change = mutation.in_json if name.endswith(".json") else mutation.mutated
    files[name] = change(files[name].encode("latin-1"), (), rng).decode("latin-1")
    return seeds.as_json(files)


@contextlib.contextmanager
def _unpacked(path: pathlib.Path):
    """The directory of the files in a document."""
    root = path.with_suffix("")
    shutil.rmtree(root, ignore_errors=True)
    for name, contents in json.loads(path.read_bytes()).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(contents.encode("latin-1"))
    yield root


def read_run(path: pathlib.Path) -> None:
    from rts_tf.data.shards import find_problems, open_set
    from rts_tf.training.run_directory import RunDirectory

    with _unpacked(path) as root:
        with contextlib.suppress(RtsError):
            find_problems(root / "source")
        with contextlib.suppress(RtsError):
            opened = open_set(root / "source")
            assert opened.sizes is not None and opened.notes is not None and opened.fingerprint
        with RunDirectory(root, CONFIG, say=lambda line: None) as run:
            run.summary(), run.instruction_sets()
            stage = run.stage(1)
            stage.metrics(), stage.phase_b_seconds()


DTYPES = {"hr": np.uint8, "lr": np.uint8}


@functools.cache
def _shard_set() -> dict[str, bytes]:
    """The files of a set of one shard of two images."""
    from rts_tf.data.shard_writer import build
    from rts_tf.data.shards import Record

    hr = np.ascontiguousarray(EIGHT[:32, :40])
    lr = np.ascontiguousarray(hr[::2, ::2])

    def records(k: int):
        for i in range(2):
            yield Record(f"image {i}", i, {"hr": hr, "lr": np.stack([lr, lr])})

    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "set")
        build(root, 1, records, DTYPES, {"source": "a"}, lambda line: None)
        return {file.name: file.read_bytes() for file in root.iterdir()}


def shards() -> dict[str, tuple[bytes, ...]]:
    return {".tfrecord": (_shard_set()["00000.tfrecord"],)}


def in_shard(contents: bytes, others: tuple[bytes, ...], rng: random.Random) -> bytes:
    """Damage a message in a record of a shard, or the shard."""
    if rng.random() < 0.3:
        return mutation.mutated(contents, others, rng)
    size = int.from_bytes(contents[:8], "little")
    message = mutation.mutated(contents[12 : 12 + size], (), rng)
    return framed(message) + contents[16 + size :]


def framed(message: bytes) -> bytes:
    """A record of a TFRecord file, with checksums that are not looked at."""
    return struct.pack("<Q", len(message)) + bytes(4) + message + bytes(4)


def read_shard(path: pathlib.Path) -> None:
    from rts_tf.data.shards import ShardSet

    shard = {"file": path.name, "sizes": {}, "notes": {}, "sha256": "", "bytes": 0}
    for _ in ShardSet(path.parent, {}, (shard,)).records(0, DTYPES):
        pass


@functools.cache
def networks() -> dict[str, tuple[bytes, ...]]:
    from rts_tf.networks import build

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("residual1", "luma4-8"):
            file = pathlib.Path(folder, f"{name}.keras")
            build(name).save(file)
            found.append(file.read_bytes())
    return {".keras": tuple(found)}


def read_network(path: pathlib.Path) -> None:
    import keras

    from rts_tf.inference import load
    from rts_tf.luma.loading import is_luma_model, load_luma

    (load_luma if is_luma_model(path) else load)(path)
    keras.backend.clear_session()


@functools.cache
def weights() -> dict[str, tuple[bytes, ...]]:
    from tests.support.paths import ROOT

    folder = ROOT / "rts_tf" / "pretrained"
    return {".weights.h5": ((folder / "residual1.weights.h5").read_bytes(),)}


def read_weights(path: pathlib.Path) -> None:
    import keras

    from rts_tf.training.initial import read_initial

    read_initial(dataclasses.replace(CONFIG, init=str(path)))
    keras.backend.clear_session()


def crops() -> dict[str, tuple[bytes, ...]]:
    return {".npz": (seeds.npz(), _with_objects())}


def _with_objects() -> bytes:
    file = io.BytesIO()
    np.savez(file, slider=np.array([{"a": 1}], object))
    return file.getvalue()


def read_crops(path: pathlib.Path) -> None:
    from rts_tf.data.arrays import read_arrays

    read_arrays(path)


@functools.cache
def checkpoints() -> dict[str, tuple[bytes, ...]]:
    """A directory of checkpoints, as one JSON document of the files in it."""
    import tensorflow as tf

    from rts_tf.training.checkpoints import Checkpoints

    with tempfile.TemporaryDirectory() as folder:
        kept = Checkpoints(pathlib.Path(folder), {"a": tf.Variable(np.arange(40.0))})
        kept.save(1), kept.save(2)
        files = {f.name: f.read_bytes().decode("latin-1") for f in pathlib.Path(folder).iterdir()}
    return {".json": (seeds.as_json(files),)}


def read_checkpoint(path: pathlib.Path) -> None:
    import tensorflow as tf

    from rts_tf.training.checkpoints import Checkpoints

    with _unpacked(path) as root:
        Checkpoints(root, {"a": tf.Variable(np.zeros(40))})
