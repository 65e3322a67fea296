"""Sets of shards: whole, damaged, refused, and made again on another CPU.

A run that is killed with SIGKILL is in tests/training/test_crash.py.
"""

import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from rts_tf.data import shard_file
from rts_tf.data.shards import Record, find_problems, open_set, parse, serialize
from rts_tf.data.source_shards import DTYPES
from rts_tf.errors import RtsError, ShardError
from tests.support.damage import flip, truncate
from tests.support.shard_sets import SHARDS, contents, everything, make, other_records, records


def test_a_shard_is_read_as_tensorflow_reads_it(tmp_path):
    """With two variants of LR, of which the first is read."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3), np.uint8)
    arrays = {"hr": pixels[0], "lr": pixels[1:, ::2, ::2]}
    made, _ = make(tmp_path / "set", source=lambda k: [Record("ä", 7, arrays)] * (k + 1))
    for k, file in enumerate(made.files):
        found, dataset = list(made.records(k, DTYPES)), tf.data.TFRecordDataset(file)
        assert len(found) == k + 1
        for record, serialized in zip(found, dataset, strict=True):
            example = {key: value.numpy() for key, value in parse(serialized, DTYPES).items()}
            assert (record.name, record.index) == (example["name"].decode(), example["index"])
            for key in DTYPES:
                np.testing.assert_array_equal(record.arrays[key], example[key], strict=True)


def test_a_shard_that_ends_within_an_image(tmp_path):
    made, _ = make(tmp_path / "set")
    whole = pathlib.Path(made.files[0]).read_bytes()
    for size in (5, 13, len(whole) - 2):
        pathlib.Path(made.files[0]).write_bytes(whole[:size])
        with pytest.raises(ShardError, match="00000.tfrecord: ends within an image"):
            list(made.records(0, DTYPES))


def test_shards_give_back_what_was_written(tmp_path):
    made, warnings = make(tmp_path / "set")
    assert not warnings
    assert made.sizes == {f"image {i}": (6, 8) for i in range(6)}
    assert made.notes["image 3"] == {"i": 3}
    assert everything(made) == [image for k in range(SHARDS) for image in contents(records(k))]
    assert not (tmp_path / "set.partial").exists()


def test_a_record_is_parsed_in_a_pipeline_as_well():
    record = next(records(0))
    serialized = tf.data.Dataset.from_tensors(serialize(record, DTYPES))
    (parsed,) = serialized.map(lambda one: parse(one, DTYPES)).as_numpy_iterator()
    assert (parsed["name"], parsed["index"], list(parsed["size"])) == (b"image 0", 0, [6, 8])
    for key in DTYPES:
        np.testing.assert_array_equal(parsed[key], record.arrays[key])


DAMAGES = {
    "truncated": ("00001.tfrecord", truncate, "bytes instead of"),
    "flipped": ("00001.tfrecord", flip, "SHA-256"),
    "missing": ("00001.tfrecord", os.unlink, "is missing"),
    "json missing": ("00001.json", os.unlink, "00001.tfrecord"),
    "json damaged": ("00001.json", truncate, "00001.tfrecord"),
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
    assert again.fingerprint == fingerprint and len(everything(again)) == 6
    assert make(tmp_path / "set")[1] == []


@pytest.mark.parametrize("file", ["manifest.json", "00001.json"])
def test_a_set_without_its_small_files_is_not_opened(tmp_path, file):
    make(tmp_path / "set")
    (tmp_path / "set" / file).unlink()
    with pytest.raises(RtsError, match=f"{file}: is missing"):
        open_set(tmp_path / "set")


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


@pytest.mark.parametrize("made_on", ["", "AVX2"])
@pytest.mark.parametrize(
    "files", [["00001.tfrecord"], ["00001.json"], ["00001.tfrecord", "00001.json"]], ids="+".join
)
def test_a_damaged_shard_whose_source_changed_is_refused(tmp_path, files, made_on):
    make(tmp_path / "set", made_on=made_on)
    for file in files:
        flip(tmp_path / "set" / file) if file.endswith("d") else os.unlink(tmp_path / "set" / file)
    for _ in range(2):  # and stays refused
        with pytest.raises(ShardError, match="00001.tfrecord.*differs"):
            make(tmp_path / "set", source=other_records, made_on=made_on)
    again, _ = make(tmp_path / "set", made_on=made_on)  # with the old images it goes on
    assert len(everything(again)) == 6


@pytest.mark.parametrize(
    ("first", "then", "named"),
    [
        ("AVX2", "AVX512_CORE", "a CPU with AVX2"),
        ("", "AVX512_CORE", "an unknown CPU"),  # a run of an earlier version
    ],
)
def test_a_shard_made_again_on_another_cpu_may_differ(tmp_path, first, then, named):
    before, _ = make(tmp_path / "set", made_on=first)
    flip(tmp_path / "set" / "00001.tfrecord")
    again, (damaged, kept) = make(tmp_path / "set", source=other_records, made_on=then)
    assert "made again" in damaged
    assert kept.startswith(str(tmp_path / "set/00001.tfrecord"))
    assert named in kept and then in kept and "may differ by rounding" in kept
    # The other shards are as they were.
    assert everything(again)[2:4] == contents(other_records(1))
    assert everything(again)[:2] == contents(records(0))
    # What is made from the set is made again, since the set is another one now.
    assert again.fingerprint != before.fingerprint
    assert not find_problems(tmp_path / "set", {"seed": 1})
    assert make(tmp_path / "set", made_on=then)[1] == make(tmp_path / "set", made_on=first)[1] == []


def test_a_kept_shard_must_stay_the_same_on_its_new_cpu(tmp_path):
    make(tmp_path / "set", made_on="AVX2")
    flip(tmp_path / "set" / "00001.tfrecord")
    make(tmp_path / "set", source=other_records, made_on="AVX512_CORE")
    flip(tmp_path / "set" / "00001.tfrecord")
    with pytest.raises(ShardError, match="00001.tfrecord.*differs"):
        make(tmp_path / "set", made_on="AVX512_CORE")
    assert len(make(tmp_path / "set", source=other_records, made_on="AVX512_CORE")[1]) == 0


def test_a_shard_that_comes_out_the_same_on_another_cpu_needs_no_warning(tmp_path):
    before, _ = make(tmp_path / "set", made_on="AVX2")
    flip(tmp_path / "set" / "00001.tfrecord")
    again, warnings = make(tmp_path / "set", made_on="AVX512_CORE")
    assert len(warnings) == 1 and again.fingerprint == before.fingerprint


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
        make(tmp_path / "set", source=broken, made_on="AVX2")
    assert not (tmp_path / "set").exists()
    written = []
    made, _ = make(
        tmp_path / "set", source=lambda k: written.append(k) or records(k), made_on="AVX512_CORE"
    )
    assert written == [2] and len(everything(made)) == 6
    assert [shard["made_on"] for shard in made.shards] == ["AVX2", "AVX2", "AVX512_CORE"]


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path, monkeypatch):
    class FullDisk(tf.io.TFRecordWriter):
        def write(self, record):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    make(tmp_path / "before")
    message = r"00000.tfrecord: cannot be written \(No space left on device; \d+ MB free\)"
    with monkeypatch.context() as patch:
        patch.setattr(shard_file.tf.io, "TFRecordWriter", FullDisk)
        with pytest.raises(ShardError, match=message):
            make(tmp_path / "set")
    assert not list(tmp_path.glob("set*/*.tmp"))
    assert len(everything(make(tmp_path / "before")[0])) == 6
    assert len(everything(make(tmp_path / "set")[0])) == 6


def test_the_manifest_is_readable(tmp_path):
    hashes = {shard["file"][:5]: shard["sha256"] for shard in make(tmp_path / "set")[0].shards}
    manifest = {"made_from": {"seed": 1}, "shards": SHARDS, "sha256": hashes}
    assert json.loads((tmp_path / "set/manifest.json").read_text()) == manifest


def test_the_manifest_names_the_cpu_of_each_shard(tmp_path):
    make(tmp_path / "set", made_on="AVX2")
    manifest = json.loads((tmp_path / "set/manifest.json").read_text())
    assert manifest["made_on"] == {"00000": "AVX2", "00001": "AVX2", "00002": "AVX2"}
