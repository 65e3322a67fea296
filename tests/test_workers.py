"""How workers share out work and agree, in threads.

Real processes are in tests/training/test_cluster.py.
"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rts_tf.data.shard_writer import build
from rts_tf.data.source_shards import DTYPES
from rts_tf.errors import ConfigError, Interrupted, RtsError, ShardError, WorkerError
from rts_tf.workers import ALONE, Task, check_alone, task_of
from tests.support.shard_sets import SHARDS, everything, make, records
from tests.support.thread_workers import in_workers

HOSTS = ["a:1", "b:2", "c:3"]


def environment(cluster, job="worker", index=0):
    task = {"type": job, "index": index}
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


def test_tf_config_names_this_worker():
    assert task_of({}) is None
    assert task_of(environment({"worker": HOSTS[:1]})) is None
    assert task_of(environment({"worker": HOSTS}, index=2)) == Task(2, tuple(HOSTS))
    with_chief = {"worker": HOSTS[1:], "chief": HOSTS[:1]}
    assert task_of(environment(with_chief, "chief")) == Task(0, tuple(HOSTS), has_chief=True)
    task = task_of(environment(with_chief, "worker", 1))
    assert task == Task(2, tuple(HOSTS), has_chief=True)
    assert [task.number_of("chief", 0), task.number_of("worker", 1)] == [0, 2]


@pytest.mark.parametrize(
    "config, says",
    [
        ({"TF_CONFIG": "{"}, "is damaged"),
        ({"TF_CONFIG": "[]"}, "is damaged"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}}'}, "is damaged"),
        (environment({"worker": HOSTS}, index=3), "task worker 3, which its cluster"),
        (environment({"worker": HOSTS, "ps": ["d:4"]}), "other jobs"),
        (environment({"worker": HOSTS[:1], "evaluator": ["d:4"]}), "other jobs"),
        (environment({"worker": HOSTS[:1], "chief": HOSTS[1:]}), "other jobs"),
    ],
)
def test_a_tf_config_that_cannot_work(config, says):
    with pytest.raises(ConfigError, match=says):
        task_of(config)


def test_what_works_in_one_process_refuses_workers(monkeypatch):
    check_alone("rts distill")
    monkeypatch.setenv("TF_CONFIG", environment({"worker": HOSTS})["TF_CONFIG"])
    with pytest.raises(ConfigError, match="names several workers, and rts distill works in one"):
        check_alone("rts distill")


@given(st.lists(st.integers()), st.integers(1, 5))
def test_shares_are_all_items_once(items, count):
    shares = in_workers(count, lambda workers: workers.share(items))
    assert sorted(sum(shares, [])) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_agreement():
    def rows_of(names):
        return {name: {"of": name} for name in names if name != "row 4"}

    def work(workers):
        arrays = workers.chiefs_arrays([np.full(3, workers.number + 1.5)])
        return (
            workers.chiefs({"number": workers.number}),
            workers.any(workers.number == 2),
            workers.any(False),
            list(workers.rows([f"row {k}" for k in range(7)], rows_of).items()),
            arrays[0].tolist(),
            workers.by_chief(lambda: [workers.number, "done"]),
        )

    rows = [(f"row {k}", {"of": f"row {k}"}) for k in range(7) if k != 4]
    expected = ({"number": 0}, True, False, rows, [1.5] * 3, [0, "done"])
    assert in_workers(3, work) == [expected] * 3
    assert in_workers(3, work) != [work(ALONE)] * 3 and work(ALONE)[3] == rows


def test_a_failure_of_one_ends_all_of_them():
    def work(workers):
        with workers.together():
            if workers.number == 1:
                raise RtsError("disk is full")
        return "not reached"

    found = in_workers(3, work)
    assert [type(error) for error in found] == [WorkerError, RtsError, WorkerError]
    assert {str(found[0]), str(found[2])} == {"worker 1 of 3 stopped: disk is full"}
    assert str(found[1]) == "disk is full"


def test_one_that_is_interrupted_does_not_wait():
    with pytest.raises(Interrupted), ALONE.together():
        raise Interrupted("stopped")


@pytest.mark.parametrize("count", [2, 3])
def test_workers_write_the_shards_of_one_process(tmp_path, count):
    alone, _ = make(tmp_path / "alone")

    def work(workers):
        made = []

        def noted(k):
            made.append(k)
            return records(k)

        directory = tmp_path / "shared"
        found = build(directory, SHARDS, noted, DTYPES, {"seed": 1}, workers=workers)
        return made, found.fingerprint, everything(found)

    results = in_workers(count, work)
    assert sorted(sum((made for made, *_ in results), [])) == list(range(SHARDS))
    assert all(made for made, *_ in results)
    assert {fingerprint for _, fingerprint, _ in results} == {alone.fingerprint}
    assert all(images == everything(alone) for *_, images in results)
    assert not (tmp_path / "shared.partial").exists()


def test_shards_of_a_lost_worker_are_made_by_the_others(tmp_path):
    """The set was left half-made by two workers, and one alone goes on."""

    def work(workers):
        def failing(k):
            if workers.number == 1:
                raise ShardError("no disk")
            return records(k)

        return build(tmp_path / "set", SHARDS, failing, DTYPES, {"seed": 1}, workers=workers)

    errors = in_workers(2, work)
    assert "worker 1 of 2 stopped: no disk" in str(errors[0])
    assert len(list((tmp_path / "set.partial").glob("*.json"))) == 3  # two shards and the manifest
    made = []
    found = build(
        tmp_path / "set", SHARDS, lambda k: made.append(k) or records(k), DTYPES, {"seed": 1}
    )
    assert made == [1] and everything(found) == everything(make(tmp_path / "alone")[0])


def test_workers_with_other_images_are_refused(tmp_path):
    def work(workers):
        made_from = {"images": [workers.number]}
        return build(tmp_path / "set", SHARDS, records, DTYPES, made_from, workers=workers)

    found = in_workers(2, work)
    assert "worker 1 of 2 has other images or settings" in str(found[1])
    assert isinstance(found[0], WorkerError) and not (tmp_path / "set").exists()


def test_a_worker_that_sees_another_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("rts_tf.data.shard_writer.SEEN_WITHIN", 0.3)

    def work(workers):
        directory = tmp_path / str(workers.number) / "set"
        return build(directory, SHARDS, records, DTYPES, {"seed": 1}, workers=workers)

    found = in_workers(2, work)
    assert "worker 1 of 2 does not see" in str(found[1]) and isinstance(found[0], WorkerError)
