"""The workers of one training: how they share out work, and how they agree.

A worker is a process. Most trainings have one, and then everything here is trivial. Several are
named by ``TF_CONFIG``, as TensorFlow defines it; :mod:`rts_tf.training.cluster` joins them. Worker
0 is the chief, the only one that writes what all share.

Nothing here imports TensorFlow.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from rts_tf.errors import ConfigError, Interrupted, RtsError, WorkerError, first_line

T = TypeVar("T")

# A file in a directory that several machines share may be seen by the others after a while: network
# file systems cache for up to a minute.
SEEN_WITHIN = 90.0  # seconds

_JOBS = ("chief", "worker")


class Task(NamedTuple):
    """What ``TF_CONFIG`` says of this process.

    Attributes:
        number: The number of this worker, from 0, the chief.
        hosts: The addresses of all workers, in the order of their numbers.
        has_chief: Whether worker 0 has a job of its own, ``chief``.
    """

    number: int
    hosts: tuple[str, ...]
    has_chief: bool = False

    def number_of(self, job: str, index: int) -> int:
        """The number of the worker that is task ``index`` of a job."""
        return index + (self.has_chief and job == "worker")


def task_of(environment: Mapping[str, str] = os.environ) -> Task | None:
    """Return the place of this process among several workers, or None if it works alone.

    Raises:
        ConfigError: ``TF_CONFIG`` is damaged, or names something that is not a worker.
    """
    text = environment.get("TF_CONFIG", "")
    if not text:
        return None
    try:
        settings = json.loads(text)
        cluster = settings.get("cluster") or {}
        hosts = [(job, k, host) for job in _JOBS for k, host in enumerate(cluster.get(job, []))]
        if not cluster or len(hosts) <= 1 and set(cluster) <= set(_JOBS):
            return None
        job, index = settings["task"]["type"], int(settings["task"]["index"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"the environment variable TF_CONFIG is damaged ({type(error).__name__}: {error});"
            ' it must look like {"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task":'
            ' {"type": "worker", "index": 0}}. Correct it, or unset it to train in one process.'
        ) from None
    if not set(cluster) <= set(_JOBS) or len(cluster.get("chief", [])) > 1:
        raise ConfigError(
            "the environment variable TF_CONFIG names other jobs than workers and one chief"
            f" ({', '.join(cluster)}); every process here is a worker, so leave the others out."
        )
    for number, (its_job, its_index, _) in enumerate(hosts):
        if (its_job, its_index) == (job, index):
            return Task(number, tuple(host for *_, host in hosts), bool(cluster.get("chief")))
    raise ConfigError(
        f"the environment variable TF_CONFIG gives this process the task {job} {index}, which its"
        " cluster does not have; correct one of the two."
    )


def check_alone(command: str) -> None:
    """Check that this process is not one of several workers.

    Raises:
        ConfigError: It is, or ``TF_CONFIG`` is damaged.
    """
    if task_of():
        raise ConfigError(
            f"the environment variable TF_CONFIG names several workers, and {command} works in one"
            " process; unset it."
        )


class Workers:
    """All workers of a training, as one of them sees it. This class is the worker that is alone.

    Methods that say so must be called by every worker, in the same order: they wait for the others.

    Attributes:
        number: The number of this worker, from 0.
        count: How many workers there are.
        strategy: The ``tf.distribute.Strategy`` of Phase A; None for TensorFlow's default.
    """

    number: int = 0
    count: int = 1
    strategy: Any = None

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes what all share."""
        return self.number == 0

    @property
    def name(self) -> str:
        """How messages name this worker, e.g. "worker 1 of 3" (from 0)."""
        return f"worker {self.number} of {self.count}"

    def share(self, items: Sequence[T]) -> list[T]:
        """Return the part of ``items`` that this worker does; all parts together are ``items``."""
        return list(items[self.number :: self.count])

    def exchange(self, message: str) -> list[str]:
        """Return the messages of all workers, in order. Every worker must call it.

        Raises:
            WorkerError: A worker was lost.
        """
        return [message]

    def chiefs_arrays(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the arrays of the chief. Every worker must call it, with arrays of these shapes.

        Raises:
            WorkerError: A worker was lost.
        """
        return list(arrays)

    def chiefs(self, value: T) -> T:
        """Return the ``value`` of the chief, of JSON types. Every worker must call it."""
        if self.count == 1:
            return value
        return json.loads(self.exchange(json.dumps(value) if self.is_chief else "")[0])

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is true for any worker. Every worker must call it."""
        return any(self.exchange("1" if flag else ""))

    def rows(
        self, names: Sequence[str], work: Callable[[list[str]], Mapping[str, T]]
    ) -> dict[str, T]:
        """Share out ``names``, and return the rows that all workers made, in the order of names.

        Every worker must call it.

        Args:
            work: Makes rows, of JSON types, of the names that it is given. It may leave some out.

        Raises:
            WorkerError: Another worker failed, or was lost.
        """
        with self.together():
            own = work(self.share(names))
        if self.count == 1:
            return dict(own)
        found: dict[str, T] = {}
        for message in self.exchange(json.dumps(own)):
            found |= json.loads(message)
        return {name: found[name] for name in names if name in found}

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Leave the body when every worker has. Every worker must enter it.

        If a worker fails in the body, the body ends with an error for all of them. A worker that is
        interrupted does not wait: the others notice that it is gone.

        Raises:
            WorkerError: Another worker failed in the body, or was lost.
        """
        failure: RtsError | OSError | None = None
        try:
            yield
        except Interrupted:
            raise
        except (RtsError, OSError) as error:
            failure = error
        outcomes = self.exchange(first_line(failure) if failure else "")
        if failure:
            raise failure
        for number, outcome in enumerate(outcomes):
            if outcome:
                raise WorkerError(f"worker {number} of {self.count} stopped: {outcome}")

    def by_chief(self, work: Callable[[], T]) -> T:
        """Let the chief do ``work``, and return its result, of JSON types, to every worker.

        Every worker must call it.

        Raises:
            WorkerError: The work failed, or a worker was lost.
        """
        result: Any = None
        with self.together():
            if self.is_chief:
                result = work()
        return self.chiefs(result)


ALONE = Workers()
