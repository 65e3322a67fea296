"""Small sets of shards, to build, compare and damage."""

import dataclasses

import numpy as np

from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record
from rts_tf.data.source_shards import DTYPES

SHARDS = 3


def records(k):
    """Two images per shard."""
    for i in range(2 * k, 2 * k + 2):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 8, 3), np.uint8)
        yield Record(f"image {i}", i, {"hr": pixels, "lr": pixels[::2, ::2]}, {"i": i})


def other_records(k):
    """The same images, all of them different."""
    for record in records(k):
        arrays = {"hr": record.arrays["hr"] // 2, "lr": record.arrays["lr"]}
        yield dataclasses.replace(record, arrays=arrays)


def contents(records):
    return [(r.name, r.index, r.arrays["hr"].tobytes(), r.arrays["lr"].tobytes()) for r in records]


def everything(shard_set):
    return [image for k in range(SHARDS) for image in contents(shard_set.records(k, DTYPES))]


def make(directory, made_from=None, source=records, made_on=""):
    """Build the set. Returns it, and the lines that it warned with."""
    lines = []
    made_from = made_from or {"seed": 1}
    made = build(directory, SHARDS, source, DTYPES, made_from, lines.append, made_on=made_on)
    return made, lines
