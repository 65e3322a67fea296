"""Fits the weights of VIQET's MOS models to figures of the reference program.

    python -m experiments.fit_viqet_mos ../shared/viqet [OUTPUT]      # a second

Each model is a bias and 61 weights on ln(1 + x), so a few hundred images with their inputs x and
the raw MOS of the reference program determine it. The fit is least squares on standardised inputs,
in float64, on all rows of golden_features.csv and fit_rows.csv.

Two checks use rows that were not fitted. The rows of fit_rows.csv are predicted from
golden_features.csv alone (the other way round is impossible, since no image of fit_rows.csv is
under-exposed), and each tenth of all rows is predicted from the others.

The weights with the record of the fit are written to OUTPUT, by default
rts_tf/metrics/viqet/mos.json, and the record is printed.
"""

import csv
import json
import os
from typing import Any

import numpy as np
from absl import app

from rts_tf.metrics.viqet.model import INPUTS
from rts_tf.metrics.viqet.mos import WEIGHTS
from rts_tf.storage import write_text

FILES = ("golden_features.csv", "fit_rows.csv")
MODELS = ("landscape", "night")


def read(path: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read one file.

    Returns:
        ln(1 + x), [rows, 61], and the raw MOS by model, [rows].
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    inputs = np.array([[float(row[f"x{i + 1:02d}"]) for i in range(INPUTS)] for row in rows])
    return np.log1p(inputs), {
        model: np.array([float(row[f"mos_{model}_raw"]) for row in rows]) for model in MODELS
    }


def fit(logs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Fit one model.

    Returns:
        The bias, the weights [61], and the condition number of the standardised problem.
    """
    mean, std = logs.mean(axis=0), logs.std(axis=0)
    design = np.column_stack([(logs - mean) / std, np.ones(len(logs))])
    solution, _, rank, singular = np.linalg.lstsq(design, targets, rcond=None)
    if rank < design.shape[1]:
        raise SystemExit(f"the rows determine {rank} of {design.shape[1]} weights only")
    weights = solution[:-1] / std
    return float(solution[-1] - mean @ weights), weights, float(singular[0] / singular[-1])


def largest_error(bias: float, weights: np.ndarray, logs: np.ndarray, targets: np.ndarray) -> float:
    """Return the largest absolute error of a model on some rows."""
    return float(np.abs(bias + logs @ weights - targets).max())


def cross_validation(logs: np.ndarray, targets: np.ndarray) -> float:
    """Return the largest error on any tenth of the rows, predicted from the others."""
    tenth = np.arange(len(logs)) % 10
    folds = (tenth == i for i in range(10))
    return max(
        largest_error(*fit(logs[~fold], targets[~fold])[:2], logs[fold], targets[fold])
        for fold in folds
    )


def main(arguments: list[str]) -> None:
    """Fit both models, print the record and write it with the weights."""
    _, data, output = [*arguments, str(WEIGHTS)][:3]
    first, second = (read(os.path.join(data, name)) for name in FILES)
    models = {}
    for model in MODELS:
        models[model] = fitted((first[0], first[1][model]), (second[0], second[1][model]))
        shown = {key: value for key, value in models[model].items() if key != "weights"}
        print(model, json.dumps(shown, indent=1))
    record = {
        "what": "raw MOS = bias + sum of weights * ln(1 + input), of VIQET's first public release"
        " (back end 115)",
        "source": "least squares on figures of the reference program; experiments/fit_viqet_mos.py",
        "models": models,
    }
    write_text(output, json.dumps(record, indent=1) + "\n")


def fitted(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """Fit one model to the rows of both FILES, each (logs, targets), and return its record."""
    logs, targets = (np.concatenate(arrays) for arrays in zip(first, second, strict=True))
    bias, weights, condition = fit(logs, targets)
    return {
        "rows": {name: len(rows) for name, (rows, _) in zip(FILES, (first, second), strict=True)},
        "condition_number": condition,
        "largest_residual": largest_error(bias, weights, logs, targets),
        "largest_error_on_rows_not_fitted": {
            f"{FILES[1]} from {FILES[0]}": largest_error(*fit(*first)[:2], *second),
            "each tenth of all rows from the others": cross_validation(logs, targets),
        },
        "bias": bias,
        "weights": weights.tolist(),
    }


if __name__ == "__main__":
    app.run(main)
