"""The Markdown page of experiments.kernels, made from its record."""

import math
from typing import Any

from experiments import results
from experiments.kernels_figures import signed

PAGE = """# Which pairs of kernels sharpen

RTS reduces twice. Phase A trains on LR, which is made from HR_0 with a kernel **A**. Phase B makes
HR_n = d(SR_n(HR_0)), and d() reduces with a kernel **B**. Nothing else decides what the stages do
to sharpness:

![Pairs with A softer than B sharpen, equal kernels do nothing, the others blur](kernels_map.png)

**Why.** SR_1 learns to undo A. Given HR_0 itself, it can only assume that this, too, was made with
A, from an image twice as large that nobody has seen. What lies at f cycles a pixel lay at f/2
there, so SR_1 amplifies it by 1/A(f/2). d() brings the result back to the old size and passes
B(f/2) of it. One stage is a filter of gain

    r(f) = B(f/2) / A(f/2)

in each direction. SR_2 learns to make HR_1 from LR: to undo A, and to apply r as well. Given HR_0,
it applies that r at f/2. So stage 2 multiplies by r(f/2), stage 3 by r(f/4), and after n stages the
gain is

    G_n(f) = r(f) r(f/2) .. r(f/2^(n-1)).

Every stage moves the boost an octave lower, where all kernels pass everything and r is nearly 1.
**That is why the stages converge**, and why repeated unsharp masking, which multiplies by the same
gain each time, does not.

![Gain against frequency: the measured points lie on the predicted lines](kernels_curves.png)

{table}
Gain in the top octave, 1/4 to 1/2 cycles a pixel, in dB: predicted / predicted with aliasing /
measured.

- The largest difference between predicted and measured is {difference} dB ({pair}).
- The formula treats A as a filter that can be undone. But what A passes above the Nyquist frequency
  of LR comes out as something coarser, and box passes a lot. The network can only restore the share
  of it that is likely. The gain of the best linear guess, with the images' own spectrum
  |f|^-{power:.2f}, can be computed too (`experiments/transfer.py`, dashed in the figure). The
  largest difference is then {aliased_difference} dB ({aliased_pair}).
- What counts is not how soft a kernel is but the ratio of the two: bilinear with bilinear does
  nothing, although both blur. Nor need the two be equal: box passes more than bicubic at the top of
  the octave and less below, and the two cancel out.
- "Super-resolution" matters only as the inversion of A. The networks here have {parameters:,}
  parameters and were trained for {first} + 2 x {later} steps.
- For the paper's strength take A = bilinear, B = Lanczos. With A = B, `--kernel=lanczos`, RTS
  changes nothing, which serves as a control.

{training} training crops and {validation} validation crops of {crop} x {crop} pixels; no JPEG, no
anchor, seed {seed}. Phases A and B took {minutes} minutes on two cores in bfloat16, beside other
work: `{command}`
"""


def page(record: dict[str, Any]) -> str:
    """Return the page with the figures of ``record``."""
    settings = record["settings"]
    stages = [f"stage {number}" for number in range(1, settings["stages"] + 1)]
    rows = []
    for pair, found in record["pairs"].items():
        a, b = pair.split()
        cells = [
            " / ".join(signed(gain, 2) for gain in (*predicted, measured))
            for measured, *predicted in found["octaves_db"][0]
        ]
        rows.append([f"{a}, {b}", f"{record['a_at_nyquist'][a]:.0%}", *cells])
    difference, pair = _worst(record, 1)
    aliased_difference, aliased_pair = _worst(record, 2)
    return PAGE.format(
        table=results.table(["A, B", "A keeps at LR's Nyquist", *stages], rows),
        difference=difference,
        pair=pair,
        power=record["power"],
        aliased_difference=aliased_difference,
        aliased_pair=aliased_pair,
        parameters=record["parameters"],
        first=settings["first_steps"],
        later=settings["later_steps"],
        training=record["training_images"],
        validation=record["validation_images"],
        crop=record["crop"],
        seed=settings["seed"],
        minutes=math.ceil(record["training_seconds"] / 60),
        command=record["command"],
    )


def _worst(record: dict[str, Any], predicted: int) -> tuple[str, str]:
    """The largest difference between measured and predicted in the top octave, and its pair.

    ``predicted`` is 1, or 2 for the prediction with aliasing.
    """
    differences = {
        pair: max(abs(gains[predicted] - gains[0]) for gains in found["octaves_db"][0])
        for pair, found in record["pairs"].items()
    }
    worst = max(differences, key=differences.__getitem__)
    a, b = worst.split()
    return f"{differences[worst]:.2f}", f"A = {a}, B = {b}"
