"""Shard sets: whole, damaged, refused. A run killed with SIGKILL is in test_crash.py."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from rts_tf.data import shards
from rts_tf.data.shards import Record, build
from rts_tf.data.source_shards import DTYPES
from rts_tf.errors import ShardError


def records(k):
    """Two pictures per shard."""
    for i in range(2 * k, 2 * k + 2):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 8, 3), np.uint8)
        yield Record(f"picture {i}", i, {"hr": pixels, "lr": pixels[::2, ::2]}, {"i": i})


def contents(shard_set):
    return [
        (r.name, r.index, r.arrays["hr"].tobytes())
        for k in range(3)
        for r in shard_set.records(k, DTYPES)
    ]


def make(directory, made_from=None, source=records):
    warnings = []
    return build(directory, 3, source, DTYPES, made_from or {"seed": 1}, warnings.append), warnings


def test_shards_give_back_what_was_written(tmp_path):
    made, warnings = make(tmp_path / "set")
    assert (
        not warnings
        and list(made.sizes) == [f"picture {i}" for i in range(6)]
        and made.notes["picture 3"] == {"i": 3}
    )
    assert contents(made) == [
        (r.name, r.index, r.arrays["hr"].tobytes()) for k in range(3) for r in records(k)
    ]
    assert not (tmp_path / "set.partial").exists()


def truncate(path):
    path.write_bytes(path.read_bytes()[:-3])


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


DAMAGES = {
    "truncated": ("00001.tfrecord", truncate, "bytes instead of"),
    "flipped": ("00001.tfrecord", flip, "SHA-256"),
    "missing": ("00001.tfrecord", os.unlink, "is missing"),
    "note missing": ("00001.json", os.unlink, "00001.tfrecord"),
    "note damaged": ("00001.json", truncate, "00001.tfrecord"),
    "manifest missing": ("manifest.json", os.unlink, "manifest.json"),
    "manifest damaged": ("manifest.json", truncate, "manifest.json"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_mended(tmp_path, damage):
    file, spoil, message = DAMAGES[damage]
    fingerprint = make(tmp_path / "set")[0].fingerprint
    spoil(tmp_path / "set" / file)
    again, warnings = make(tmp_path / "set")
    assert len(warnings) == 1 and message in warnings[0] and str(tmp_path / "set") in warnings[0]
    assert again.fingerprint == fingerprint and len(contents(again)) == 6
    assert make(tmp_path / "set")[1] == []


def test_only_the_damaged_shard_is_written_again(tmp_path):
    make(tmp_path / "set")
    flip(tmp_path / "set" / "00002.tfrecord")
    written = []
    make(tmp_path / "set", source=lambda k: written.append(k) or records(k))
    assert written == [2]


def test_a_stray_file_is_refused(tmp_path):
    make(tmp_path / "set")
    shutil.copy(tmp_path / "set/00000.tfrecord", tmp_path / "set/00007.tfrecord")
    with pytest.raises(ShardError, match="00007.tfrecord: does not belong"):
        make(tmp_path / "set")
    assert (tmp_path / "set/00007.tfrecord").exists()


@pytest.mark.parametrize(
    "files", [["00001.tfrecord"], ["00001.json"], ["00001.tfrecord", "00001.json"]], ids="+".join
)
def test_a_damaged_shard_whose_source_changed_is_refused(tmp_path, files):
    make(tmp_path / "set")
    for file in files:
        flip(tmp_path / "set" / file) if file.endswith("d") else os.unlink(tmp_path / "set" / file)
    changed = lambda k: (
        r._replace(arrays={"hr": r.arrays["hr"] // 2, "lr": r.arrays["lr"]}) for r in records(k)
    )  # noqa: E731
    for _ in range(2):  # and stays refused
        with pytest.raises(ShardError, match="00001.tfrecord.*differs"):
            make(tmp_path / "set", source=changed)
    assert contents(make(tmp_path / "set")[0])  # with the photographs back it goes on


def test_a_set_made_from_something_else_is_made_afresh(tmp_path):
    make(tmp_path / "set")
    again, warnings = make(tmp_path / "set", {"seed": 2})
    assert len(warnings) == 1 and again.made_from == {"seed": 2}


def test_finished_shards_of_a_broken_set_are_kept(tmp_path):
    def broken(k):
        if k == 2:
            raise KeyboardInterrupt
        return records(k)

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "set", source=broken)
    assert not (tmp_path / "set").exists()
    written = []
    made, _ = make(tmp_path / "set", source=lambda k: written.append(k) or records(k))
    assert written == [2] and len(contents(made)) == 6


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, monkeypatch):
    class FullDisk(tf.io.TFRecordWriter):
        def write(self, record):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    make(tmp_path / "before")
    with monkeypatch.context() as patch:
        patch.setattr(shards.tf.io, "TFRecordWriter", FullDisk)
        with pytest.raises(
            ShardError,
            match=r"00000.tfrecord: cannot be written \(No space left on device; \d+ MB free\)",
        ):
            make(tmp_path / "set")
    assert (
        not list(tmp_path.glob("set*/*.tmp")) and len(contents(make(tmp_path / "before")[0])) == 6
    )
    assert len(contents(make(tmp_path / "set")[0])) == 6


def test_the_manifest_is_readable(tmp_path):
    hashes = {shard["file"][:5]: shard["sha256"] for shard in make(tmp_path / "set")[0].shards}
    manifest = {"made_from": {"seed": 1}, "shards": 3, "sha256": hashes}
    assert json.loads((tmp_path / "set/manifest.json").read_text()) == manifest
