"""Joins the workers of a training by TensorFlow's collective operations.

``TF_CONFIG`` names the workers, which compute Phase A with ``MultiWorkerMirroredStrategy``. One
process on a machine with several GPUs computes it with ``MirroredStrategy``.

TensorFlow's coordination service notices within some ten seconds that a worker is gone, stopped or
cut off, and then ends every collective operation of the others with an error. So no timeout is
needed, and a slow worker is waited for.
"""

import contextlib
import hashlib
import pathlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from rts_tf.errors import ConfigError, WorkerError
from rts_tf.workers import ALONE, Task, Workers, task_of

# How a collective operation ends that cannot reach all workers. None of these is an error of the
# training itself: those are ResourceExhausted, InvalidArgument and the like.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
_joined: dict[Task, Workers] = {}  # a process can be joined once
_TASK = re.compile(r"/job:(chief|worker)(?:/replica:\d+)?/task:(\d+)")


class LocalGpus(Workers):
    """The only worker, which computes Phase A on several GPUs."""

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy


class Cluster(Workers):
    """One of several workers, which talk to each other through the operations of a strategy."""

    def __init__(self, strategy: tf.distribute.Strategy, task: Task):
        """``strategy``: A MultiWorkerMirroredStrategy over the workers of ``task``."""
        self.strategy, self._task = strategy, task
        self.number, self.count = task.number, len(task.hosts)

    def exchange(self, message: str) -> list[str]:
        own = np.frombuffer(message.encode(), np.uint8)
        sizes = np.zeros(self.count, np.int32)
        sizes[self.number] = len(own)
        sizes = self._sum(sizes)
        if not sizes.any():
            return [""] * self.count
        table = np.zeros([self.count, sizes.max()], np.int32)
        table[self.number, : len(own)] = own
        table = self._sum(table)
        return [
            bytes(row[:size].astype(np.uint8)).decode()
            for row, size in zip(table, sizes, strict=True)
        ]

    def chiefs_arrays(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [self._sum(array if self.is_chief else np.zeros_like(array)) for array in arrays]

    def _sum(self, array: np.ndarray) -> np.ndarray:
        """The sum of the arrays of all workers, which must have one shape and type."""
        replicas = self.strategy.num_replicas_in_sync // self.count

        def of_replica(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            is_first = context.replica_id_in_sync_group % replicas == 0
            return tf.identity(array if is_first else np.zeros_like(array))

        with self._losses_named():
            values = self.strategy.experimental_distribute_values_from_function(of_replica)
            return self.strategy.reduce("SUM", values, axis=None).numpy()

    @contextlib.contextmanager
    def _losses_named(self) -> Iterator[None]:
        try:
            yield
        except _LOST as error:
            raise self.lost(error) from None

    def lost(self, error: tf.errors.OpError) -> WorkerError:
        """What to raise when an operation could not reach all workers."""
        tasks = _TASK.findall(str(error))
        found = {self._task.number_of(job, int(index)) for job, index in tasks} - {self.number}
        gone = "another worker"
        if len(found) == 1:
            (number,) = found
            gone = f"worker {number} ({self._task.hosts[number]})"
        return WorkerError(
            f"{gone} was lost or stopped. What was done is kept: start the same command on"
            " all hosts again"
        )


@contextlib.contextmanager
def losses_named(workers: Workers) -> Iterator[None]:
    """Turn an error of an operation that cannot reach all workers into a WorkerError."""
    try:
        yield
    except _LOST as error:
        if not isinstance(workers, Cluster):
            raise
        raise workers.lost(error) from None


def connect(say: Callable[[str], None] = lambda line: None) -> Workers:
    """Return the workers of a training in this process. Call it before TensorFlow does anything.

    If ``TF_CONFIG`` names several, the call waits until all of them are there.

    Args:
        say: Called with one line before the call waits.

    Raises:
        ConfigError: ``TF_CONFIG`` cannot work, TensorFlow has computed something already, or the
            workers have different versions.
    """
    task = task_of()
    if task and task not in _joined:
        say(
            f"worker {task.number} of {len(task.hosts)} waits for the others"
            f" ({', '.join(task.hosts)}); the chief is worker 0"
        )
        _joined[task] = _join(task)
    if task:
        return _joined[task]
    gpus = tf.config.get_visible_devices("GPU")
    return LocalGpus(tf.distribute.MirroredStrategy()) if len(gpus) > 1 else ALONE


def _join(task: Task) -> Workers:
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ConfigError(
            "TF_CONFIG names several workers, which must be joined before TensorFlow computes"
            f" anything in this process ({error}); call rts_tf.train first."
        ) from None
    except _LOST + (tf.errors.UnknownError, tf.errors.InvalidArgumentError) as error:
        raise ConfigError(
            f"worker {task.number} cannot be joined with the others ({', '.join(task.hosts)}):"
            f" {str(error).splitlines()[0][:200]}. Start the same command on all hosts, each with"
            " its own index in TF_CONFIG."
        ) from None
    cluster = Cluster(strategy, task)
    _check_versions(cluster)
    return cluster


def _check_versions(workers: Workers) -> None:
    """Check that all workers have the same versions and the same code of this package.

    Raises:
        ConfigError: A worker has others than the chief.
    """
    package = sys.modules["rts_tf"]  # which no module of it imports
    code = hashlib.sha256()
    for file in sorted(pathlib.Path(str(package.__file__)).parent.rglob("*.py")):
        code.update(file.read_bytes())
    own = (
        f"rts_tf {package.__version__} ({code.hexdigest()[:8]}), TensorFlow {tf.__version__} and"
        f" Keras {keras.__version__}"
    )
    versions = workers.exchange(own)
    for number, version in enumerate(versions):
        if version != versions[0]:
            raise ConfigError(
                f"worker {number} has {version}, and the chief has {versions[0]}; install the same"
                " versions on all hosts."
            )
