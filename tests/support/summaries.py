"""Summaries of runs, as in summary.json."""

NASTY = """<b>"it's"</b> & $network ${after}.png"""


def summary(stages: int = 4, selected: int = 3) -> dict:
    """The summary of a run whose stage was selected by its delta."""
    return {
        "preset": "quick",
        "network": "residual3",
        "parameters": 114643,
        "training_images": 9,
        "validation_images": 2,
        "selected_stage": selected,
        "selected_because": "delta <i>fell</i>",
        "stopped_because": "<u>done</u>",
        "judged_by": "delta, since the images are <small>",
        "originals": {},
        "seconds": 231.0,
        "peak_memory_mb": 2100,
        "config": {"data": NASTY, "validation": "", "batch": 8},
        "stages": [
            {
                "stage": stage,
                "steps": 300,
                "final_loss": 0.0012,
                "phase_a_seconds": 60.1,
                "phase_b_seconds": 9.3,
                "difference_ratio_percent": 0.85 * stage,
                "delta_percent": 0.85,
                "step_difference_percent": 0.8,
                "alpha_mean": 0.5,
                "alpha_std": 0.1,
                "brightness_drift_levels": -0.001,
                "network_drift_levels": -0.05,
                "unsharp_ratio_percent": 0.9 * stage,
                "weights_sha256": "0123456789abcdef" * 4,
            }
            for stage in range(1, stages + 1)
        ],
    }


def selected_by_mos() -> dict:
    """The same with VIQET's metrics; no unsharp mask reaches the MOS of the last stage."""
    measures = dict.fromkeys(
        (
            "edge_acutance",
            "noise_signature_index",
            "texture_acutance",
            "saturation",
            "color_warmth",
            "illumination",
            "dynamic_range",
            "over_exposed",
            "under_exposed",
        ),
        100.0,
    )
    cost = {
        "clipped_percent": 2.0,
        "overshoot_levels": 0.5,
        "flat_noise_gain": 1.5,
        "corner_gain_db": 6.0,
    }
    run = summary()
    run |= {
        "judged_by": "mos",
        "originals": {
            row: measures | cost | {"mos": mos, "mos_raw": mos, "flat_region_index": None}
            for row, mos in (("lr_jpeg", 2.9), ("lr_half", 2.0), ("hr_0", 3.0))
        },
    }
    for stage in run["stages"]:
        stage |= (
            measures
            | cost
            | {"mos_raw": 3 + 0.1 * stage["stage"], "mos_gain": 0.1 * stage["stage"]}
        )
        stage |= {"clipped_percent": 2.9, "unsharp_amount": 0.9, "unsharp_clipped_percent": 3.7}
        stage |= {f"unsharp_{key}": 7.0 for key in cost if key != "clipped_percent"}
    run["stages"][-1] |= {"unsharp_amount": None} | {f"unsharp_{key}": None for key in cost}
    return run
