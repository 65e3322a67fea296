"""Fits the black-body locus of VIQET's Color Warmth with two polynomials.

    python -m experiments.fit_blackbody_locus ../shared/viqet      # a second

VIQET looks for the nearest of 391 points: CIE x and y of black bodies from 1000 K to 40000 K, to
four decimals. Along 1/T the locus is smooth. So polynomials in 1/T with the least maximal error (a
linear programme) are tried, from low degrees up, until their values round to all four decimals of
every point. It prints the coefficients that rts_tf/metrics/viqet/warmth.py holds.

What came out: degree 10 for x and 11 for y. The largest errors before rounding are 4.987e-05 and
4.971e-05, and all 391 points are equal. One degree less misses 11 points of x and 14 of y.
"""

import os

import numpy as np
from absl import app
from numpy.polynomial import chebyshev
from scipy.optimize import linprog

DECIMALS = 8  # of the coefficients


def minimax(values: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the coefficients with the least maximal error.

    Args:
        values: [points], what to fit.
        basis: [points, n], the functions to combine.
    """
    error = np.ones((len(values), 1))
    bounds = [(None, None)] * basis.shape[1] + [(0, None)]
    solution = linprog(
        [0] * basis.shape[1] + [1],
        np.block([[basis, -error], [-basis, -error]]),
        np.r_[values, -values],
        bounds=bounds,
    )
    return solution.x[:-1].round(DECIMALS)


def main(arguments: list[str]) -> None:
    """Fit the points in the folder that the command line names, and print the coefficients."""
    file = os.path.join(arguments[1], "blackbody_xy.csv")
    kelvin, *planes = np.loadtxt(file, delimiter=",", skiprows=1).T
    for name, values in zip("xy", planes, strict=True):
        for degree in range(5, 16):
            basis = chebyshev.chebvander((2 * 1000 / kelvin - 1.025) / 0.975, degree)
            coefficients = minimax(values, basis)
            fitted = basis @ coefficients
            missed = int((fitted.round(4) != values).sum())
            largest = np.abs(fitted - values).max()
            print(f"{name}: degree {degree}, largest error {largest:.4e}, {missed} points differ")
            if not missed:
                print(f"LOCUS_{name.upper()} = {tuple(coefficients.tolist())}")
                break


if __name__ == "__main__":
    app.run(main)
