"""Stage 1 as super-resolution: PSNR and SSIM of x2 on Set5 and Set14, beside the published figures.

The paper reports none. The figures say how good the networks are at what Phase A of stage 1 trains them for; later stages have
sharper targets on purpose, so PSNR says nothing about them. Published networks are trained for this LR, a bicubic reduction
without JPEG, so the runs should be too::

    python -m rts_tf.main --workdir=RUN --stages=1 --kernel=bicubic --degradation=reduce --data=FOLDER --network=residual3
    python -m experiments.sr_benchmark --models=residual3:RUN/stage_1/model.keras,NAME:PATH...

LR is made here by ``matlab_bicubic`` from the pictures cut to even sides; SR is rounded to 8 bits; PSNR and SSIM are of Y
(MATLAB's rgb2ycbcr; of a grey file the grey itself, as published) without 2 pixels on every side. Costs half a minute a
network. Writes ``sr_benchmark.json`` and ``sr_benchmark.md``. ``--quick``: the smallest picture of each set.

Bicubic itself came out at 33.68 / 30.24 dB (published: 33.66 / 30.24). Every network before its training: 33.35 / 30.00 dB, as
its bicubic phases have three taps of the four.
"""

import hashlib
import json
import os
import pathlib
import time

import numpy as np
from absl import app, flags
from PIL import Image

from experiments.matlab_bicubic import matlab_bicubic
from rts_tf.errors import ConfigError, RtsError
from rts_tf.imaging.files import read_picture, write_text
from rts_tf.quality.fidelity import Fidelity, fidelity

FLAGS = flags.FlagValues()
flags.DEFINE_list("models", [], "NAME:PATH of runs or .keras files, comma-separated.", flag_values=FLAGS)
flags.DEFINE_string("benchmarks", "../shared/benchmarks", "Folder with the folders Set5 and Set14 (HR).", flag_values=FLAGS)
flags.DEFINE_string("output", "experiments/results", "Folder to write to.", flag_values=FLAGS)
flags.DEFINE_boolean("quick", False, "Only the smallest picture of each set.", flag_values=FLAGS)

SETS = ("Set5", "Set14")
PUBLISHED = {  # PSNR-Y in dB, x2
    "SRCNN (Dong et al. 2016)": (36.66, 32.42),
    "FSRCNN (Dong et al. 2016)": (37.00, 32.63),
    "VDSR (Kim et al. 2016)": (37.53, 33.03),
}


class Sample:
    """One picture of a benchmark set.

    Attributes:
        hr: uint8 [2H, 2W, 3]; ``lr``: [H, W, 3].
        grey: whether its file has one channel.
    """

    def __init__(self, path: pathlib.Path):
        """Raises PictureError if it cannot be read."""
        picture = read_picture(path)
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
        found[name] = [Sample(path) for path in (sorted(paths, key=os.path.getsize)[:1] if quick else paths)]
    return found


def means(upscale, sets: dict[str, list[Sample]]) -> dict[str, dict[str, float]]:
    """The mean of each field of Fidelity, by set. ``upscale``: uint8 [H, W, 3] -> uint8 [2H, 2W, 3]."""
    result = {}
    for name, pictures in sets.items():
        rows = [fidelity(upscale(sample.lr), sample.hr, sample.grey) for sample in pictures]
        result[name] = dict(zip(Fidelity._fields, np.mean(rows, axis=0).tolist(), strict=True))
    return result


def record(path: str) -> dict:
    """What made the network at ``path``: its hash, and the settings of its run (but for folders) if it lies in one."""
    file = pathlib.Path(path)
    file = file / "final.keras" if file.is_dir() else file
    config = next((p / "config.json" for p in file.resolve().parents[:2] if (p / "config.json").exists()), None)
    settings = json.loads(config.read_text(encoding="utf-8")) if config else {}
    folders = ("data", "validation", "data_dir")
    return {
        "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "settings": {key: value for key, value in settings.items() if key not in folders},
    }


def markdown(results: dict) -> str:
    """The table, with the published figures below ours."""
    sets = list(results["pictures"])
    count = " and ".join(f"{number} of {name}" for name, number in results["pictures"].items())
    lines = [f"PSNR (dB) / SSIM of Y, x2, MATLAB bicubic LR, {count}.", ""]
    lines += ["| | parameters | " + " | ".join(sets) + " |", "|---|---:|" + "---:|" * len(sets)]
    for name, model in results["models"].items():
        cells = [f"{model['figures'][s]['psnr_y']:.2f} / {model['figures'][s]['ssim_y']:.4f}" for s in sets]
        parameters = f"{model['parameters']:,}" if model["parameters"] else ""
        lines.append(f"| {name} | {parameters} | " + " | ".join(cells) + " |")
    for name, figures in PUBLISHED.items():
        lines.append(f"| {name}, published | | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")
    return "\n".join(lines) + "\n"


def benchmark(models: dict[str, str], root: pathlib.Path, quick: bool) -> dict:
    """The figures of bicubic interpolation and of the ``models`` (path by name). Raises RtsError."""
    import rts_tf
    from rts_tf import networks

    sets = samples(root, quick)
    bicubic = {"parameters": 0, "figures": means(lambda lr: matlab_bicubic(lr, 2), sets)}
    results = {"pictures": {name: len(pictures) for name, pictures in sets.items()}, "models": {"bicubic": bicubic}}
    for name, path in models.items():
        model, began = rts_tf.load(path), time.monotonic()
        figures = means(model.upscale, sets)
        print(f"{name}: " + ", ".join(f"{s} {f['psnr_y']:.2f} dB" for s, f in figures.items()), flush=True)
        made = {"parameters": networks.parameters(model.network), "figures": figures, **record(path)}
        results["models"][name] = made | {"seconds": round(time.monotonic() - began, 1)}
    return results


def main(_) -> int:
    try:
        if not all(":" in model for model in FLAGS.models):
            raise ConfigError(f"--models={','.join(FLAGS.models)}: each is NAME:PATH.")
        if not os.path.isdir(FLAGS.output):
            raise ConfigError(f"--output={FLAGS.output}: no such folder.")
        results = benchmark(dict(model.split(":", 1) for model in FLAGS.models), pathlib.Path(FLAGS.benchmarks), FLAGS.quick)
    except RtsError as error:
        print(f"error: {error}")
        return 1
    write_text(pathlib.Path(FLAGS.output, "sr_benchmark.json"), json.dumps(results, indent=1) + "\n")
    write_text(pathlib.Path(FLAGS.output, "sr_benchmark.md"), markdown(results))
    print("\n" + markdown(results))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    flags.FLAGS.append_flag_values(FLAGS)
    FLAGS.mark_as_parsed()
    app.run(main)
