"""The weights of VIQET's MOS models, from figures of the reference program.

    python -m experiments.fit_viqet_mos ../shared/viqet [OUTPUT]      # a second

Each model is a bias and 61 weights on ln(1 + x), so a few hundred pictures with their inputs x and the raw MOS of the
reference program determine it: least squares on standardised inputs, in float64, on all rows of golden_features.csv and
fit_rows.csv. As a cross-check the rows of fit_rows.csv are predicted from golden_features.csv alone (not the other way round:
no picture of fit_rows.csv is under-exposed), and each tenth of all rows from the others. Writes the weights with the record
of the fit to OUTPUT, which is rts_tf/quality/viqet/mos.json unless given, and prints the record.
"""

import csv
import json
import os

import numpy as np
from absl import app

from rts_tf.metrics.viqet.model import INPUTS
from rts_tf.metrics.viqet.mos import WEIGHTS
from rts_tf.storage import write_text

FILES = ("golden_features.csv", "fit_rows.csv")
MODELS = ("landscape", "night")


def read(path: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """ln(1 + x), [rows, 61], and the raw MOS by model, [rows], of one file."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    inputs = np.array([[float(row[f"x{i + 1:02d}"]) for i in range(INPUTS)] for row in rows])
    return np.log1p(inputs), {
        model: np.array([float(row[f"mos_{model}_raw"]) for row in rows]) for model in MODELS
    }


def fit(logs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray, float]:
    """(bias, weights [61], condition number of the standardised problem)."""
    mean, deviation = logs.mean(axis=0), logs.std(axis=0)
    design = np.column_stack([(logs - mean) / deviation, np.ones(len(logs))])
    solution, _, rank, singular = np.linalg.lstsq(design, targets, rcond=None)
    if rank < design.shape[1]:
        raise SystemExit(f"the rows determine {rank} of {design.shape[1]} weights only")
    weights = solution[:-1] / deviation
    return float(solution[-1] - mean @ weights), weights, float(singular[0] / singular[-1])


def largest_error(bias: float, weights: np.ndarray, logs: np.ndarray, targets: np.ndarray) -> float:
    return float(np.abs(bias + logs @ weights - targets).max())


def cross_validation(logs: np.ndarray, targets: np.ndarray) -> float:
    """The largest error on any tenth of the rows, predicted from the others."""
    tenth = np.arange(len(logs)) % 10
    folds = (tenth == i for i in range(10))
    return max(
        largest_error(*fit(logs[~fold], targets[~fold])[:2], logs[fold], targets[fold])
        for fold in folds
    )


def main(arguments: list[str]) -> None:
    _, data, output = [*arguments, str(WEIGHTS)][:3]
    (logs_1, targets_1), (logs_2, targets_2) = (read(os.path.join(data, name)) for name in FILES)
    logs, models = np.concatenate([logs_1, logs_2]), {}
    for model in MODELS:
        bias, weights, condition = fit(
            logs, targets := np.concatenate([targets_1[model], targets_2[model]])
        )
        models[model] = {
            "rows": {FILES[0]: len(logs_1), FILES[1]: len(logs_2)},
            "condition_number": condition,
            "largest_residual": largest_error(bias, weights, logs, targets),
            "largest_error_on_rows_not_fitted": {
                f"{FILES[1]} from {FILES[0]}": largest_error(
                    *fit(logs_1, targets_1[model])[:2], logs_2, targets_2[model]
                ),
                "each tenth of all rows from the others": cross_validation(logs, targets),
            },
            "bias": bias,
            "weights": weights.tolist(),
        }
        print(
            model, json.dumps({k: v for k, v in models[model].items() if k != "weights"}, indent=1)
        )
    record = {
        "what": "raw MOS = bias + sum of weights * ln(1 + input), of VIQET's first public release (back end 115)",
        "source": "least squares on figures of the reference program; experiments/fit_viqet_mos.py",
        "models": models,
    }
    write_text(output, json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    app.run(main)
