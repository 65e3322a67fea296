"""Shards, arrays, JSON and TFLite files that mean harm are refused with one line."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from rts_tf.data.arrays import read_arrays
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record, ShardSet, find_problems, open_set
from rts_tf.errors import ConfigError, RtsError, ShardError
from rts_tf.luma.engines import LiteRTEngine
from rts_tf.settop.errors import SettopError
from rts_tf.settop.litert import Network
from rts_tf.storage import read_json
from tests.fuzz.run_seeds import CONFIG, DTYPES, framed
from tests.security.malice import pickled, zeros

WEIGHTS = pathlib.Path(__file__).parents[2] / "rts_tf" / "pretrained"


def example(**changes) -> bytes:
    """An image of a shard, with other features."""
    features = {
        "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"a"])),
        "index": tf.train.Feature(int64_list=tf.train.Int64List(value=[0])),
        "size": tf.train.Feature(int64_list=tf.train.Int64List(value=[2, 2])),
        "hr": tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(12)])),
        "lr": tf.train.Feature(bytes_list=tf.train.BytesList(value=[bytes(3)])),
    }
    return tf.train.Example(
        features=tf.train.Features(feature=features | changes)
    ).SerializeToString()


def size(*sides: int) -> tf.train.Feature:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=sides))


RECORDS = {
    "a length beyond the file": ((2**40).to_bytes(8, "little") + bytes(100), "ends within"),
    "the largest length": (b"\xff" * 8 + bytes(100), "ends within an image"),
    "no message": (framed(b"\xff\xff\xff"), "record 1 is no image of rts_tf"),
    "a size beyond 64 bits": (framed(example(size=size(2**62, 2**62))), "its size is"),
    "a negative size": (framed(example(size=size(-1, 2))), "its size is"),
    "more than is there": (framed(example(size=size(2**20, 2**20))), "record 1 is no image"),
    "one side": (framed(example(size=size(2))), "record 1 is no image"),
    "numbers for an image": (framed(example(hr=size(1, 2))), "record 1 is no image"),
    "floats for a name": (
        framed(example(name=tf.train.Feature(float_list=tf.train.FloatList(value=[1.0])))),
        "record 1 is no image",
    ),
    "a name that is not UTF-8": (
        framed(example(name=tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\xff"])))),
        "record 1 is no image",
    ),
}


@pytest.mark.parametrize("harm", RECORDS)
def test_records(harm, tmp_path):
    contents, reason = RECORDS[harm]
    (tmp_path / "00000.tfrecord").write_bytes(contents)
    found = ShardSet(tmp_path, {}, ({"file": "00000.tfrecord"},))
    with pytest.raises(ShardError, match=f"00000.tfrecord: .*{reason}"):
        list(found.records(0, DTYPES))


CHANGES = {
    "another file": {"file": "../../../etc/passwd"},
    "sizes of another kind": {"sizes": {"a": [1, "2"]}},
    "a list of notes": {"notes": []},
    "bytes as text": {"bytes": "1"},
    "a number for the hash": {"sha256": 1},
}


@pytest.mark.parametrize("harm", CHANGES)
def test_what_is_said_about_shards(harm, tmp_path):
    image = {"hr": np.zeros((4, 4, 3), np.uint8), "lr": np.zeros((1, 2, 2, 3), np.uint8)}
    records = lambda k: [Record("a", 0, image)]  # noqa: E731
    build(tmp_path / "set", 1, records, DTYPES, {}, print)
    file = tmp_path / "set" / "00000.json"
    contents = json.loads(file.read_text()) | CHANGES[harm]
    del contents["seal"]  # who means harm leaves it out
    file.write_text(json.dumps(contents))
    with pytest.raises(ShardError, match="00000.json: "):
        open_set(tmp_path / "set")
    assert "its .json file " in find_problems(tmp_path / "set")["00000.tfrecord"]


@pytest.mark.parametrize("manifest", [{"shards": 10**9}, {"shards": -1}, {"shards": "a"}, {}])
def test_manifests(manifest, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"made_from": {}} | manifest))
    with pytest.raises(ShardError, match="manifest.json: is damaged"):
        open_set(tmp_path)
    assert "manifest.json" in find_problems(tmp_path)


def test_arrays_are_never_pickled(tmp_path):
    path = pickled(tmp_path / "a.npz", tmp_path / "witness")
    with pytest.raises(RtsError, match="a.npz: holds no arrays that can be read"):
        read_arrays(path)
    assert not (tmp_path / "witness").exists()


def test_arrays_beyond_the_limit(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("slider.npy", b"a")
    contents = bytearray((tmp_path / "a.npz").read_bytes())
    at = contents.rindex(b"PK\x01\x02")
    contents[at + 24 : at + 28] = (2**32 - 2).to_bytes(4, "little")  # what the directory says
    (tmp_path / "a.npz").write_bytes(contents)
    with pytest.raises(RtsError, match=r"a.npz: .*its arrays have 4.3 GB"):
        read_arrays(tmp_path / "a.npz")


JSON = {
    "deep": "[" * 10**5,
    "deep objects": '{"a":' * 10**5,
    "a number of many digits": '{"a": ' + "9" * 10**5 + "}",
    "a list": "[1]",
    "a number": "NaN",
    "not UTF-8": "\udcff",
    "too large": '{"a": "' + "b" * 2**26 + '"}',
}


@pytest.mark.parametrize("harm", JSON)
def test_json(harm, tmp_path):
    (tmp_path / "a.json").write_text(JSON[harm], encoding="utf-8", errors="surrogateescape")
    with pytest.raises(RtsError, match=r"a.json: is damaged \(.*delete it"):
        read_json(tmp_path / "a.json")


def test_json_of_other_kinds(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1, "b": NaN}')
    assert read_json(tmp_path / "a.json", {"a": int}) is not None
    with pytest.raises(RtsError, match="is damaged .its 'a' is missing, or of another kind"):
        read_json(tmp_path / "a.json", {"a": list})


@pytest.mark.parametrize("text", ["[" * 10**5, '{"stages": ' + "9" * 10**5 + "}", "NaN"])
def test_settings(text):
    with pytest.raises(ConfigError, match="cannot read the settings") as raised:
        type(CONFIG).from_json(text)
    assert len(str(raised.value)) < 300


def damaged_tflite() -> dict[str, bytes]:
    whole = (WEIGHTS / "luma-large.tflite").read_bytes()

    def with_shape(old: list[int], new: list[int]) -> bytes:
        """The file with another shape for all tensors of a shape."""
        old, new = (np.array(shape, np.int32).tobytes() for shape in (old, new))
        assert old in whole
        return whole.replace(old, new)

    return {
        "cut short": whole[:-5000],
        "its start alone": whole[:8],
        "random": whole[:8] + np.random.default_rng(1).bytes(5000),
        "a huge tensor": with_shape([1, 4, 4, 1], [1, 2**30, 2**30, 1]),
        "gigabytes of frames within": with_shape([1, 4, 4, 16], [2**25, 4, 4, 16]),
        "a frame of gigabytes within": with_shape([1, 4, 4, 16], [1, 2**15, 2**14, 16]),
        "a long frame": with_shape([1, 4, 4, 1], [1, 2**15, 4, 1]),
        "no graph": whole[:20] + bytes(2) + whole[22:],
        "empty": b"",
        "a zip bomb": zeros(2**20),
    }


@pytest.mark.parametrize("harm", damaged_tflite())
def test_tflite(harm, tmp_path):
    pytest.importorskip("ai_edge_litert", reason="the extra 'device' is not installed")
    contents = damaged_tflite()[harm]
    (tmp_path / "a.tflite").write_bytes(contents)
    with pytest.raises(SettopError, match="a.tflite: cannot be opened") as raised:
        Network(tmp_path / "a.tflite", 1)
    assert "\n" not in str(raised.value)
    with pytest.raises(RtsError, match="cannot be run"):
        LiteRTEngine(contents).check(4)
