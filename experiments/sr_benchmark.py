"""Stage 1 as super-resolution: PSNR and SSIM of x2 on Set5 and Set14, beside the published figures.

The paper reports none. The figures say how good the networks are at what Phase A of stage 1 trains them for; later stages have
sharper targets on purpose, so PSNR says nothing about them. Published networks are trained for this LR, a bicubic reduction
without JPEG, so the runs are too::

    python -m experiments.sr_benchmark --data=../shared/photos/train --validation=../shared/photos/valid

The LR of training is TensorFlow's antialiased bicubic, that of the benchmark ``matlab_bicubic``, from the pictures cut to even
sides. They are the same kernel and phase: inside a picture of Set5 at most 6 samples in 10,000 differ, by one level; in the
two rows and columns at each border, which MATLAB mirrors and TensorFlow leaves out, up to 11 levels. Few patches lie there.

SR is rounded to 8 bits; PSNR and SSIM are of Y (MATLAB's rgb2ycbcr; of a grey file the grey itself, as published) without 2
pixels on every side. ``--models=NAME:PATH`` measures networks that are there instead, half a minute each. ``--quick``:
residual1 and the smallest picture of each set.

Each took 14 to 22 minutes of one or two cores beside other work (bfloat16). What came out: residual3-wide has 36.86 / 32.59
dB, above SRCNN's 36.66 / 32.42 on luma, below FSRCNN's 37.00 / 32.63. residual3 and residual6 stay below it by a decibel and a
half, whatever their depth (35.33 and 35.19 on Set5; residual3 with 8000 steps 35.29): they pass their result to the
head as three channels. The runs are far shorter than the published ones.
"""

import hashlib
import json
import os
import pathlib
import time

import numpy as np
from absl import flags
from matplotlib.figure import Figure
from PIL import Image

from experiments import results, runs
from experiments.matlab_bicubic import matlab_bicubic
from rts_tf.errors import ConfigError
from rts_tf.images.read import read_image
from rts_tf.metrics.psnr_ssim import Fidelity, fidelity

# Training steps of 8 patches of 128 x 128.
STEPS = {"residual3": 12000, "residual3-wide": 15000, "residual6": 6000}

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "networks", list(STEPS), "Networks to train, or trained already.", flag_values=FLAGS
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

SETS = ("Set5", "Set14")
PUBLISHED = {  # parameters, on luma, and PSNR-Y in dB, x2
    "SRCNN (Dong et al. 2016)": (57_281, 36.66, 32.42),
    "FSRCNN (Dong et al. 2016)": (12_464, 37.00, 32.63),
    "VDSR (Kim et al. 2016)": (665_921, 37.53, 33.03),
}


class Sample:
    """One picture of a benchmark set.

    Attributes:
        hr: uint8 [2H, 2W, 3]; ``lr``: [H, W, 3].
        grey: whether its file has one channel.
    """

    def __init__(self, path: pathlib.Path):
        """Raises ImageError if it cannot be read."""
        picture = read_image(path)
        self.hr = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        self.lr = matlab_bicubic(self.hr, 0.5)
        with Image.open(path) as image:
            self.grey = len(image.getbands()) == 1


def samples(root: pathlib.Path, quick: bool) -> dict[str, list[Sample]]:
    """The pictures of SETS below ``root``. Raises ConfigError where there are none."""
    found = {}
    for name in SETS:
        paths = sorted((root / name).glob("*.png"), key=lambda path: path.name)
        if not paths:
            raise ConfigError(f"--benchmarks={root}: has no folder {name} with PNG pictures.")
        found[name] = [
            Sample(path) for path in (sorted(paths, key=os.path.getsize)[:1] if quick else paths)
        ]
    return found


def means(upscale, sets: dict[str, list[Sample]]) -> dict[str, dict[str, float]]:
    """The mean of each field of Fidelity, by set. ``upscale``: uint8 [H, W, 3] -> uint8 [2H, 2W, 3]."""
    result = {}
    for name, pictures in sets.items():
        rows = [fidelity(upscale(sample.lr), sample.hr, sample.grey) for sample in pictures]
        result[name] = dict(zip(Fidelity._fields, np.mean(rows, axis=0).tolist(), strict=True))
    return result


def record(path: str) -> dict:
    """What made the network at ``path``: its hash, and if it lies in a run its settings and the seconds of Phase A."""
    file = pathlib.Path(path)
    file = file / "final.keras" if file.is_dir() else file
    found = {
        "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "settings": {},
        "training_seconds": None,
    }
    root = next((p for p in file.resolve().parents[:2] if (p / "config.json").exists()), None)
    if root:
        found["settings"] = runs.settings(
            json.loads((root / "config.json").read_text(encoding="utf-8"))
        )
    if root and (root / "stage_1" / "phase_a.json").exists():
        phase_a = json.loads((root / "stage_1" / "phase_a.json").read_text(encoding="utf-8"))
        found["training_seconds"] = round(phase_a["phase_a_seconds"])
    return found


def markdown(result: dict) -> str:
    """The table, with the published figures below ours."""
    sets = list(result["pictures"])
    count = " and ".join(f"{number} of {name}" for name, number in result["pictures"].items())
    rows = []
    for name, model in result["models"].items():
        cells = [
            f"{model['figures'][s]['psnr_y']:.2f} / {model['figures'][s]['ssim_y']:.4f}"
            for s in sets
        ]
        steps, seconds = (model.get(key) for key in ("settings", "training_seconds"))
        trained = [
            f"{steps['first_steps']:,}" if steps else "",
            f"{seconds / 60:.0f} min" if seconds else "",
        ]
        rows.append(
            [name, f"{model['parameters']:,}" if model["parameters"] else "", *trained, *cells]
        )
    for name, (parameters, *figures) in PUBLISHED.items():
        rows.append(
            [
                f"{name}, published",
                f"{parameters:,}",
                "",
                "",
                *(f"{figure:.2f}" for figure in figures),
            ]
        )
    return (
        f"# x2 super-resolution by stage 1\n\n`{result['command']}`\n\nPSNR (dB) / SSIM of Y, MATLAB bicubic LR, {count}.\n\n"
        + results.table(["", "parameters", "steps", "Phase A", *sets], rows)
        + "\n![PSNR against the number of parameters](sr_benchmark_psnr.png)\n"
    )


def figure(result: dict) -> Figure:
    """PSNR against the number of parameters: ours and the published."""
    drawing = Figure(figsize=(9, 3.8), layout="constrained")
    for k, (name, axes) in enumerate(
        zip(result["pictures"], drawing.subplots(1, len(result["pictures"])), strict=True)
    ):
        axes.axhline(
            result["models"]["bicubic"]["figures"][name]["psnr_y"],
            color="grey",
            linestyle=":",
            label="bicubic",
        )
        ours = {
            n: (m["parameters"], m["figures"][name]["psnr_y"])
            for n, m in result["models"].items()
            if m["parameters"]
        }
        theirs = {
            n.split(" ")[0]: (parameters, psnr[k]) for n, (parameters, *psnr) in PUBLISHED.items()
        }
        for points, colour, label in (
            (ours, "#3b7fe0", "here"),
            (theirs, "#e08a1e", "published (luma)"),
        ):
            axes.scatter(
                *zip(*points.values(), strict=True), color=colour, label=label
            ) if points else None
            for text, at in points.items():
                axes.annotate(
                    text, at, xytext=(0, 6), textcoords="offset points", ha="center", fontsize=8
                )
        axes.set(xscale="log", xlabel="parameters", ylabel="PSNR-Y, dB", title=f"{name}, x2")
        axes.margins(0.15)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8, loc="lower right")
    return drawing


def benchmark(models: dict[str, str], sets: dict[str, list[Sample]]) -> dict[str, dict]:
    """The figures of bicubic interpolation and of the ``models`` (path by name). Raises RtsError."""
    import rts_tf
    from rts_tf import networks

    found = {"bicubic": {"parameters": 0, "figures": means(lambda lr: matlab_bicubic(lr, 2), sets)}}
    for name, path in models.items():
        model, began = rts_tf.load(path), time.monotonic()
        figures = means(model.upscale, sets)
        print(
            f"{name}: " + ", ".join(f"{s} {f['psnr_y']:.2f} dB" for s, f in figures.items()),
            flush=True,
        )
        made = {
            "parameters": networks.parameters(model.network),
            "figures": figures,
            **record(path),
        }
        found[name] = made | {"seconds": round(time.monotonic() - began, 1)}
    return found


def trained() -> dict[str, str]:
    """The runs of the flags' networks, by name."""
    if unknown := sorted(set(FLAGS.networks) - set(STEPS)):
        raise ConfigError(f"--networks={','.join(unknown)}: choose from {', '.join(STEPS)}.")
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
    if not all(":" in model for model in FLAGS.models):
        raise ConfigError(f"--models={','.join(FLAGS.models)}: each is NAME:PATH.")
    sets = samples(
        pathlib.Path(FLAGS.benchmarks), FLAGS.quick
    )  # before the training, which takes longer
    models = benchmark(dict(model.split(":", 1) for model in FLAGS.models) or trained(), sets)
    result = {
        "command": runs.command(FLAGS, "sr_benchmark"),
        "pictures": {name: len(pictures) for name, pictures in sets.items()},
        "models": models,
    }
    results.save(FLAGS.output, "sr_benchmark", result, markdown(result), {"psnr": figure(result)})


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
