"""Where the sharpening comes from: the stages' gain by frequency, predicted from two kernels and measured.

A network that learned to invert the kernel A with which LR was made, followed by the kernel B of d(), has on a picture of
frequency f (cycles a pixel) the gain

    r(f) = B(f/2) / A(f/2),   and after n stages   G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)),

separably in both directions: each stage pushes the boost one octave lower, so the stages converge. The paper does not say
this; it follows from its Phase A and B, and it says that with A = B nothing happens.

The run must have no JPEG in its degradation and no anchor, for both are left out of the prediction::

    python -m rts_tf.main --workdir=RUN --degradation=reduce --anchor=none --stages=3 --data=FOLDER
    python -m experiments.band_gains --run=RUN

Measured is the energy of HR_n over that of HR_0 in octaves of the radial frequency |f|, the top one from 0.25 to 0.5 cycles a
pixel; predicted the same with HR_0 passed through G_n(fx) G_n(fy). Costs a minute for a few small pictures. What came out,
residual3, 2500 + 2 x 1200 steps on 127 photographs, on 24 others: 3.66 / 3.51 dB, 4.80 / 4.67 dB, 5.08 / 4.96 dB in the top
octave of stages 1 to 3 (predicted / measured), within 0.01 dB below.
"""

import functools
import os
from collections.abc import Callable

import numpy as np
from absl import app, flags

from rts_tf.imaging.kernels import reduction_taps
from rts_tf.startup import load_tensorflow

FLAGS = flags.FLAGS
flags.DEFINE_string("run", None, "Directory of a finished run with --degradation=reduce --anchor=none.")
flags.DEFINE_integer("largest", 1024, "Pictures are cropped to this many pixels a side.")

OCTAVES = ((1 / 4, 1 / 2), (1 / 8, 1 / 4), (1 / 16, 1 / 8))


def response(kernel: str, f: np.ndarray) -> np.ndarray:
    """Transfer function of an antialiased 2x reduction at ``f`` cycles per pixel of the large picture."""
    offsets = np.arange(-6, 6) + 0.5  # the centre of an output lies between two samples
    return np.cos(2 * np.pi * np.multiply.outer(f, offsets)) @ reduction_taps(kernel, offsets)


def predicted_gain(stage: int, f: np.ndarray, kernel_a: str, kernel_b: str = "lanczos") -> np.ndarray:
    """G_n(f) of one dimension."""
    ratios = (response(kernel_b, f / 2**k / 2) / response(kernel_a, f / 2**k / 2) for k in range(stage))
    return functools.reduce(np.multiply, ratios)


def band_energies(hr_0: np.ndarray, hr_n: np.ndarray, gain_of: Callable) -> np.ndarray:
    """[octaves, 3]: the energies of HR_0, of HR_n, and of HR_0 with the gain, one plane [H, W] each, under a Hann window."""
    window = np.hanning(hr_0.shape[0])[:, None] * np.hanning(hr_0.shape[1])
    mean = (hr_0 * window).sum() / window.sum()
    f_0, f_n = (np.fft.fft2((plane - mean) * window) for plane in (hr_0, hr_n))
    fy, fx = np.abs(np.fft.fftfreq(hr_0.shape[0])), np.abs(np.fft.fftfreq(hr_0.shape[1]))
    energy, radius = np.abs(f_0) ** 2, np.hypot(fy[:, None], fx)
    terms = energy, np.abs(f_n) ** 2, energy * (gain_of(fy)[:, None] * gain_of(fx)) ** 2
    return np.array([[term[(radius >= low) & (radius < high)].sum() for term in terms] for low, high in OCTAVES])


def main(_) -> None:
    load_tensorflow()
    import rts_tf
    from rts_tf.config import Config
    from rts_tf.data.photos import training_and_validation

    with open(os.path.join(FLAGS.run, "config.json"), encoding="utf-8") as file:
        config = Config.from_json(file.read())
    if config.degradation != "reduce" or config.anchor != "none":
        raise app.UsageError("the run must have --degradation=reduce --anchor=none")
    photos = training_and_validation(config)[1]
    print(f"A = {config.kernel}, B = lanczos, {len(photos.names)} pictures; gain in dB, predicted / measured (difference)")
    print("stage  " + "".join(f"{low:.4g}..{high:.4g} cycles/pixel".ljust(32) for low, high in OCTAVES))
    for stage in range(1, config.stages + 1):
        model = rts_tf.load(os.path.join(FLAGS.run, f"stage_{stage}", "model.keras"))
        gain_of = functools.partial(predicted_gain, stage, kernel_a=config.kernel)
        total = np.zeros((len(OCTAVES), 3))
        for name in photos.names:
            hr_0 = photos.read(name)[: FLAGS.largest, : FLAGS.largest].astype(np.float32) / 255
            total += band_energies(hr_0.mean(axis=2), model.enhance(hr_0).mean(axis=2), gain_of)
        predicted, measured = (10 * np.log10(total[:, k] / total[:, 0]) for k in (2, 1))
        cells = (f"{p:5.2f} / {m:5.2f} ({m - p:+.2f})".ljust(32) for p, m in zip(predicted, measured, strict=True))
        print(f"{stage}      " + "".join(cells), flush=True)


if __name__ == "__main__":
    flags.mark_flag_as_required("run")  # here, so that importing this file asks nobody for it
    app.run(main)
