"""Target shards made in Beam are those that one process makes."""

import dataclasses

import pytest

from rts_tf.config import preset
from rts_tf.errors import RtsError
from tests.support.beam_work import needs_beam

pytestmark = needs_beam


def test_target_shards_are_the_same_to_the_last_byte(small_photographs, tmp_path):
    from rts_tf.beam.targets import write_targets
    from rts_tf.training import recurrence
    from tests.beam.conftest import files_in

    data = str(small_photographs)
    config = preset("quick", data=data, validation=data, network="residual1", stages=2)
    tiny = {"first_steps": 1, "stage_steps": 1} if hasattr(config, "stage_steps") else {}
    config = dataclasses.replace(
        config, first_steps=1, patch=16, batch=1, precision="float32", keep_targets=True, **tiny
    )
    shards = []

    def in_beam(job, numbers, on_shard):
        done = []
        beam_args = "--direct_num_workers=2"
        lines = write_targets(
            job, numbers, beam_args, on_shard=lambda k: (done.append(k), on_shard(k))
        )
        assert sorted(done) == sorted(numbers)
        shards.extend(done)
        return lines

    made = {}
    for name, engine in (("one", None), ("beam", in_beam)):
        recurrence.train(config, tmp_path / name, say=lambda line: None, engine=engine)
        found = files_in(tmp_path / name)
        made[name] = {path: found[path] for path in found if path.endswith(".tfrecord")}
    assert shards and made["one"] and made["beam"] == made["one"]


def test_a_shard_that_cannot_be_made_ends_phase_b(tmp_path):
    from rts_tf.beam.targets import write_targets
    from rts_tf.training.targets_job import TargetsJob

    missing = tmp_path / "missing"
    job = TargetsJob(missing, missing, 1, missing, preset("quick"))
    with pytest.raises(RtsError, match="missing"):
        write_targets(job, [0], "--direct_running_mode=in_memory")
