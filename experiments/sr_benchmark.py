"""Stage 1 as super-resolution: PSNR and SSIM of x2 on Set5 and Set14, beside published results.

The paper reports neither. The figures say how good the networks are at what Phase A of stage 1
trains them for. Later stages have sharper targets on purpose, so PSNR says nothing about them.
Published networks are trained for this LR, a bicubic reduction without JPEG, so the runs are too::

    python -m experiments.sr_benchmark --data=../shared/photos/train \\
        --validation=../shared/photos/valid

The LR of training is TensorFlow's antialiased bicubic reduction, that of the benchmark is
``matlab_bicubic`` of the images cut to even sides. Both have the same kernel and phase: inside an
image of Set5 at most 6 samples in 10,000 differ, by one level. In the two rows and columns at each
border, which MATLAB mirrors and TensorFlow leaves out, they differ by up to 11 levels, but few
patches lie there.

SR is rounded to 8 bits. PSNR and SSIM are those of Y (MATLAB's rgb2ycbcr; for a grey file the grey
itself, as published) without 2 pixels on every side. ``--models=NAME:PATH`` measures existing
networks instead, half a minute each. ``--quick`` trains residual1 and measures the smallest image
of each set.

Each run took 14 to 22 minutes on one or two cores beside other work (bfloat16). What came out:
residual3-wide has 36.86 / 32.59 dB, above SRCNN's 36.66 / 32.42 on luma and below FSRCNN's 37.00 /
32.63. residual3 and residual6 stay one and a half decibels below it, whatever their depth (35.33
and 35.19 on Set5; residual3 with 8000 steps 35.29), since they pass their result to the head as
three channels. The runs are far shorter than the published ones.
"""

import hashlib
import json
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import flags
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from experiments import results, runs
from experiments.matlab_bicubic import matlab_bicubic
from rts_tf.errors import ConfigError
from rts_tf.images.rgb import read_image
from rts_tf.metrics.psnr_ssim import Fidelity, fidelity

# Training steps of 8 patches of 128 x 128.
STEPS = {"residual3": 12000, "residual3-wide": 15000, "residual6": 6000}
SETS = ("Set5", "Set14")
PUBLISHED = {  # parameters, and PSNR-Y in dB on SETS, x2, of networks on luma
    "SRCNN (Dong et al. 2016)": (57_281, 36.66, 32.42),
    "FSRCNN (Dong et al. 2016)": (12_464, 37.00, 32.63),
    "VDSR (Kim et al. 2016)": (665_921, 37.53, 33.03),
}

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "networks", list(STEPS), "Networks to train; finished runs are used.", flag_values=FLAGS
)
flags.DEFINE_list(
    "models", [], "NAME:PATH of runs or .keras files to measure instead.", flag_values=FLAGS
)
flags.DEFINE_string(
    "benchmarks",
    "../shared/benchmarks",
    "Folder with the folders Set5 and Set14 (HR).",
    flag_values=FLAGS,
)


class Sample:
    """One image of a benchmark set.

    Attributes:
        hr: uint8 [2H, 2W, 3].
        lr: uint8 [H, W, 3].
        grey: Whether its file has one channel.
    """

    def __init__(self, path: pathlib.Path):
        """Read the image. Raises ImageError if it cannot be read."""
        image = read_image(path)
        self.hr = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
        self.lr = matlab_bicubic(self.hr, 0.5)
        with Image.open(path) as file:
            self.grey = len(file.getbands()) == 1


def samples(root: pathlib.Path, quick: bool) -> dict[str, list[Sample]]:
    """Read the images of SETS in ``root``; if ``quick``, the smallest of each set.

    Raises:
        ConfigError: A set has no images.
    """
    found = {}
    for name in SETS:
        paths = sorted((root / name).glob("*.png"), key=lambda path: path.name)
        if not paths:
            raise ConfigError(f"--benchmarks={root}: has no folder {name} with PNG images.")
        chosen = sorted(paths, key=os.path.getsize)[:1] if quick else paths
        found[name] = [Sample(path) for path in chosen]
    return found


def means(
    upscale: Callable[[np.ndarray], np.ndarray], sets: dict[str, list[Sample]]
) -> dict[str, dict[str, float]]:
    """Return the mean of each field of Fidelity, by set.

    Args:
        upscale: Maps uint8 [H, W, 3] to uint8 [2H, 2W, 3].
        sets: The result of :func:`samples`.
    """
    result = {}
    for name, images in sets.items():
        rows = [fidelity(upscale(sample.lr), sample.hr, sample.grey) for sample in images]
        result[name] = dict(zip(Fidelity._fields, np.mean(rows, axis=0).tolist(), strict=True))
    return result


def origin(path: str) -> dict[str, Any]:
    """Return how the network at ``path`` was made: its hash, and what its run says, if any."""
    file = pathlib.Path(path)
    file = file / "final.keras" if file.is_dir() else file
    found = {
        "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "settings": {},
        "training_seconds": None,
    }
    root = next((p for p in file.resolve().parents[:2] if (p / "config.json").exists()), None)
    if root:
        config = json.loads((root / "config.json").read_text(encoding="utf-8"))
        found["settings"] = runs.settings(config)
    if root and (root / "stage_1" / "phase_a.json").exists():
        phase_a = json.loads((root / "stage_1" / "phase_a.json").read_text(encoding="utf-8"))
        found["training_seconds"] = round(phase_a["phase_a_seconds"])
    return found


def markdown(result: dict[str, Any]) -> str:
    """Return the page: a table of our networks and, below them, the published ones."""
    sets = list(result["images"])
    count = " and ".join(f"{number} images of {name}" for name, number in result["images"].items())
    rows = []
    for name, model in result["models"].items():
        figures = [model["figures"][s] for s in sets]
        steps, seconds = (model.get(key) for key in ("settings", "training_seconds"))
        trained = [
            f"{steps['first_steps']:,}" if steps else "",
            f"{seconds / 60:.0f} min" if seconds else "",
        ]
        cells = [f"{figure['psnr_y']:.2f} / {figure['ssim_y']:.4f}" for figure in figures]
        parameters = f"{model['parameters']:,}" if model["parameters"] else ""
        rows.append([name, parameters, *trained, *cells])
    for name, (parameters, *psnr) in PUBLISHED.items():
        cells = [f"{decibels:.2f}" for decibels in psnr]
        rows.append([f"{name}, published", f"{parameters:,}", "", "", *cells])
    return (
        f"# x2 super-resolution by stage 1\n\n`{result['command']}`\n\n"
        f"PSNR (dB) / SSIM of Y, with MATLAB's bicubic LR, of {count}.\n\n"
        + results.table(["", "parameters", "steps", "Phase A", *sets], rows)
        + "\n![PSNR against the number of parameters](sr_benchmark_psnr.png)\n"
    )


def figure(result: dict[str, Any]) -> Figure:
    """Draw PSNR against the number of parameters, of our networks and of the published ones."""
    drawing = Figure(figsize=(9, 3.8), layout="constrained")
    panels = drawing.subplots(1, len(result["images"]))
    for k, (name, axes) in enumerate(zip(result["images"], panels, strict=True)):
        models = result["models"]
        psnr = {network: model["figures"][name]["psnr_y"] for network, model in models.items()}
        axes.axhline(psnr["bicubic"], color="grey", linestyle=":", label="bicubic")
        ours = {
            network: (model["parameters"], psnr[network])
            for network, model in models.items()
            if model["parameters"]
        }
        published = {
            text.split(" ")[0]: (parameters, decibels[k])
            for text, (parameters, *decibels) in PUBLISHED.items()
        }
        _named_points(axes, ours, "#3b7fe0", "here")
        _named_points(axes, published, "#e08a1e", "published (luma)")
        axes.set(xscale="log", xlabel="parameters", ylabel="PSNR-Y, dB", title=f"{name}, x2")
        axes.margins(0.15)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="lower right")
    return drawing


def _named_points(
    axes: Axes, points: dict[str, tuple[int, float]], colour: str, label: str
) -> None:
    """Draw points (parameters, PSNR), each with its name above it."""
    if points:
        axes.scatter(*zip(*points.values(), strict=True), color=colour, label=label)
    above = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center", "fontsize": 8}
    for text, at in points.items():
        axes.annotate(text, at, **above)


def benchmark(models: dict[str, str], sets: dict[str, list[Sample]]) -> dict[str, dict[str, Any]]:
    """Measure bicubic interpolation and the ``models`` (path by name).

    Raises:
        RtsError: A model cannot be loaded.
    """
    import rts_tf
    from rts_tf import networks

    bicubic = means(lambda lr: matlab_bicubic(lr, 2), sets)
    found: dict[str, dict[str, Any]] = {"bicubic": {"parameters": 0, "figures": bicubic}}
    for name, path in models.items():
        model, began = rts_tf.load(path), time.monotonic()
        figures = means(model.upscale, sets)
        shown = ", ".join(f"{s} {figure['psnr_y']:.2f} dB" for s, figure in figures.items())
        print(f"{name}: {shown}", flush=True)
        parameters = networks.parameters(model.network)
        made = {"parameters": parameters, "figures": figures, **origin(path)}
        found[name] = made | {"seconds": round(time.monotonic() - began, 1)}
    return found


def trained() -> dict[str, str]:
    """Return the runs of the networks that the flags name, after training what is left of them."""
    made = {}
    for network in ("residual1",) if FLAGS.quick else FLAGS.networks:
        config = runs.configuration(
            FLAGS,
            network=network,
            stages=1,
            first_steps=STEPS.get(network, 0),
            kernel="bicubic",
            degradation="reduce",
            ema=0.999,
            patches_per_image=1000,
            judge="delta",
        )
        made[network] = str(runs.trained(FLAGS, f"sr_benchmark_{network}", config))
    return made


def experiment() -> None:
    """Train and measure the networks, and write the results."""
    if not all(":" in model for model in FLAGS.models):
        raise ConfigError(f"--models={','.join(FLAGS.models)}: each must be NAME:PATH.")
    if unknown := sorted(set(FLAGS.networks) - set(STEPS)):
        raise ConfigError(f"--networks={','.join(unknown)}: choose from {', '.join(STEPS)}.")
    # The images are read first, since the training takes long.
    sets = samples(pathlib.Path(FLAGS.benchmarks), FLAGS.quick)
    models = benchmark(dict(model.split(":", 1) for model in FLAGS.models) or trained(), sets)
    result = {
        "command": runs.command(FLAGS, "sr_benchmark"),
        "images": {name: len(images) for name, images in sets.items()},
        "models": models,
    }
    results.save(FLAGS.output, "sr_benchmark", result, markdown(result), {"psnr": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
