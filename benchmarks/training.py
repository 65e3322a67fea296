"""Phase A: the training step against the machine's limit, the data pipeline, and the same network in PyTorch.

    pip install '.[benchmark]'            # PyTorch; without it that comparison is left out
    python -m benchmarks.training         # about four minutes on two cores

residual3, batch 8, LR 128x128 (section 4.1), in the precision that ``auto`` gives on this machine. Three ratios:

- operations per second of the step over those of a product of large matrices, which is the limit of the machine; also
  by processor time, the figure to believe when other programs run;
- the time of steps fed by the real pipeline over that of steps on one held batch, in stage 1 (uint8 targets) and stage
  2 (float16 targets), in blocks longer than what the pipeline has ready, so that its work falls into the time taken;
- the time of the step of the same network with the same weights in PyTorch over ours.

All is interleaved in one process and the least time counts, so that another program on the machine does not decide; an
idle machine gives the steadiest figures all the same.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do

import math
import pathlib
import tempfile
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from benchmarks.table import Line, Seconds, seconds_of, show
from rts_tf import networks
from rts_tf.config import preset
from rts_tf.data import shards
from rts_tf.data.datasets import SAMPLE_TRAIN, sample
from rts_tf.data.degradation import Degradation
from rts_tf.data.patches import training_batches
from rts_tf.data.source_shards import build_source
from rts_tf.networks.precision import convolution, resolve_precision
from rts_tf.training.phase_a import make_step
from rts_tf.training.phase_b import DTYPES

FLAGS = flags.FLAGS
flags.DEFINE_integer("rounds", 3, "Times that everything is measured.")
flags.DEFINE_integer(
    "block", 12, "Steps of a block; above 11, so that each one reads all the photographs anew."
)

CONFIG = preset("paper", network="residual3")  # section 4.1
PRODUCT = 2048  # rows and columns of the matrices
TIMES = {"product": 20, "torch": 4}  # after each block


def main(_) -> None:
    precision, strategy = resolve_precision("auto"), tf.distribute.get_strategy()
    network = networks.build(CONFIG.network, CONFIG.seed, precision, convolution(precision))
    random = np.random.default_rng(0)  # away from the start, which is full of zeros
    weights = [
        array + random.normal(scale=0.01, size=array.shape).astype("f")
        for array in network.get_weights()
    ]
    network.set_weights(weights)
    optimizer = keras.optimizers.Adam(CONFIG.learning_rate)
    optimizer.build(network.trainable_variables)
    step = make_step(network, optimizer, CONFIG.batch, strategy)

    with tempfile.TemporaryDirectory() as directory:
        feeds = {
            f"stage {stage}": iter(strategy.experimental_distribute_dataset(batches))
            for stage, batches in pipelines(pathlib.Path(directory)).items()
        }
        lr, target = next(feeds["stage 1"])
        peer = torch_step(
            weights, lr.numpy(), target.numpy(), precision, float(loss_of(network, lr, target))
        )
        operations = step_operations(network)
        single = {"product": matrix_product(precision)} | ({"torch": peer} if peer else {})
        fed = {"held": lambda: step(lr, target).numpy()}
        fed |= {stage: lambda feed=feed: step(*next(feed)).numpy() for stage, feed in feeds.items()}
        times = measured(single, fed)
    report(times, operations, precision)


def measured(
    single: dict[str, Callable], fed: dict[str, Callable]
) -> dict[str, list[list[Seconds]]]:
    """The times by name: ``fed`` parts in blocks, the ``single`` ones some times after each of these."""
    for part in (*single.values(), *fed.values()):
        part()
        part()
    times = {name: [] for name in (*single, *fed)}
    for _ in range(FLAGS.rounds):
        for name, part in fed.items():
            times[name].append([seconds_of(part) for _ in range(FLAGS.block)])
            for other, once in single.items():
                times[other].append([seconds_of(once) for _ in range(TIMES[other])])
    return times


def report(times: dict[str, list[list[Seconds]]], operations: float, precision: str) -> None:
    least = {
        name: min(s.clock for block in blocks for s in block) for name, blocks in times.items()
    }
    busy = {
        name: min(s.processor for block in blocks for s in block) for name, blocks in times.items()
    }
    means = {name: [np.mean(block, axis=0) for block in blocks] for name, blocks in times.items()}
    block = {name: min(clock for clock, _ in blocks) for name, blocks in means.items()}
    work_of = {name: min(processor for _, processor in blocks) for name, blocks in means.items()}
    work = {"held": operations / 1e9, "product": 2 * PRODUCT**3 / 1e9}
    speed = {name: work[name] / least[name] for name in work}
    of = f"{speed['held']:.1f} of {speed['product']:.1f} GFLOP/s ({least['held']:.3f} s a step)"
    lines = [Line("step / matrix product", speed["held"] / speed["product"], ">=", 0.70, of)]
    speed = {name: work[name] / busy[name] for name in work}
    of = f"{speed['held']:.1f} of {speed['product']:.1f} GFLOP/s a processor"
    lines.append(
        Line("the same by processor time", speed["held"] / speed["product"], ">=", 0.70, of)
    )
    for name in ("stage 1", "stage 2"):
        of = f"{block[name]:.3f} / {block['held']:.3f} s a step"
        of += f"; processor time {work_of[name]:.2f} / {work_of['held']:.2f} s"
        lines.append(
            Line(f"real pipeline, {name} / held batch", block[name] / block["held"], "<=", 1.05, of)
        )
    if "torch" in least:
        of = f"{least['torch']:.3f} / {least['held']:.3f} s a step"
        lines.append(Line("PyTorch's time / ours", least["torch"] / least["held"], ">=", 1.0, of))
    side = CONFIG.patch // 2
    show(f"Phase A: {CONFIG.network}, batch {CONFIG.batch}, LR {side}x{side}, {precision}", lines)
    if "torch" not in least:
        print("PyTorch is not installed, so it is not compared: pip install '.[benchmark]'")


def pipelines(directory: pathlib.Path) -> dict[int, tf.data.Dataset]:
    """The batches of stages 1 and 2 from the photographs inside scikit-image; the targets of stage 2 are HR_0 too."""
    source = build_source(
        directory / "source",
        sample(SAMPLE_TRAIN),
        Degradation.of(CONFIG),
        CONFIG.patch,
        CONFIG.images_per_shard,
    )

    def records(k: int) -> Iterator[shards.Record]:
        for record in source.records(k, {"hr": np.uint8}):
            yield record._replace(arrays={"target": record.arrays["hr"] / 255})

    targets = shards.build(directory / "targets", len(source.shards), records, DTYPES, {})
    settings = {
        "patch": CONFIG.patch,
        "batch": CONFIG.batch,
        "places": CONFIG.patches_per_image,
        "seed": CONFIG.seed,
    }
    return {
        stage: training_batches(source, made, stage=stage, **settings)
        for stage, made in ((1, None), (2, targets))
    }


def step_operations(network: keras.Model) -> float:
    """Multiplications and additions of the convolutions in a step: forward, and the gradients of kernel and input."""
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    passes = 3 * networks.macs_per_pixel(network)
    passes -= math.prod(first.kernel.shape)  # nobody needs the gradient of the picture
    return 2.0 * passes * CONFIG.batch * (CONFIG.patch // 2) ** 2


def loss_of(network: keras.Model, lr: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(network(lr) - target))


def matrix_product(precision: str) -> Callable[[], object]:
    """One product of two large matrices in the arithmetic of the convolutions."""
    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    a, b = (
        tf.cast(tf.random.stateless_normal([PRODUCT, PRODUCT], [0, k]), dtype) for k in range(2)
    )
    product = tf.function(lambda: tf.matmul(a, b))
    return lambda: product()[0, 0].numpy()


def torch_step(
    weights: list[np.ndarray], lr: np.ndarray, target: np.ndarray, precision: str, loss: float
) -> Callable[[], float] | None:
    """The step of the same network in PyTorch: channels_last, Adam; in bfloat16 what we do in it. None without PyTorch.

    Raises RuntimeError if its loss on the batch is not ``loss``, ours.
    """
    try:
        import torch
    except ImportError:
        return None
    functional = torch.nn.functional
    layout = {"memory_format": torch.channels_last}

    def convolution(kernel: np.ndarray, bias: np.ndarray, padding: int) -> torch.nn.Conv2d:
        height, width, channels, filters = kernel.shape
        layer = torch.nn.Conv2d(channels, filters, (height, width), padding=padding)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
            layer.bias.copy_(torch.from_numpy(bias.copy()))
        return layer.to(**layout)

    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    order = [
        phase * 3 + colour for colour in range(3) for phase in range(4)
    ]  # pixel_shuffle has the phases innermost
    first, *residuals, last = (convolution(kernel, bias, 1) for kernel, bias in pairs[:-1])
    head = convolution(pairs[-1][0][..., order], pairs[-1][1][order], 0)
    model = torch.nn.ModuleList([first, *residuals, last, head])
    optimizer = torch.optim.Adam(model.parameters(), CONFIG.learning_rate, eps=1e-7)
    lr, target = (
        torch.from_numpy(array.transpose(0, 3, 1, 2).copy()).to(**layout) for array in (lr, target)
    )

    def step() -> float:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed_bfloat16"):
            x = functional.relu(first(lr))
            for residual in residuals:
                x = x + functional.relu(residual(x))
            change = last(x)
        padded = functional.pad(lr + change.float(), (1, 1, 1, 1), mode="replicate")
        error = functional.mse_loss(functional.pixel_shuffle(head(padded), 2), target)
        error.backward()
        optimizer.step()
        return error.item()

    theirs = step()
    if not math.isclose(theirs, loss, rel_tol=1e-4 if precision == "float32" else 0.05):
        raise RuntimeError(f"the network in PyTorch is another: loss {theirs} instead of {loss}")
    return step


if __name__ == "__main__":
    app.run(main)
