import numpy as np
import pytest

from rts_tf import networks
from rts_tf.data.datasets import folder
from rts_tf.data.degradation import Degradation
from rts_tf.data.shard_writer import build
from rts_tf.data.shards import Record, ShardSet
from rts_tf.data.source_shards import build_source
from rts_tf.images.filters import gaussian
from rts_tf.inference import Enhancer
from rts_tf.metrics.difference import change_percent
from rts_tf.training.change_metrics import difference_ratio, measure_change, unsharp_ratios
from rts_tf.training.coded_validation import measure_coded
from rts_tf.training.crops import save_crops
from rts_tf.training.fit_metrics import measure_fit
from rts_tf.training.pairs import pairs
from rts_tf.training.phase_b import DTYPES
from rts_tf.workers import ALONE
from tests.support.thread_workers import in_workers


@pytest.fixture(scope="module")
def sets(small_photographs, tmp_path_factory):
    """Source shards, and HR_1 = HR_0 + 0.04, HR_2 = HR_0 + 0.05."""
    root = tmp_path_factory.mktemp("measured")
    source = build_source(
        root / "source", folder(small_photographs), Degradation("reduce", "box", 1, 1, 0), 32, 2
    )

    def brighter(change):
        def records(k):
            for record in source.records(k, {"hr": np.uint8}):
                target = {"target": record.arrays["hr"] / 255 + change}
                yield Record(record.name, record.index, target, {"network_drift_levels": 3.0})

        return records

    stages = [
        build(root / f"stage_{c}", len(source.shards), brighter(c), DTYPES, {"c": c})
        for c in (0.04, 0.05)
    ]
    return source, *stages


def test_the_change_of_the_first_and_second_stage(sets):
    source, one, two = sets
    first, second = measure_change(source, one, None, 0.0), measure_change(source, two, one, 4.0)
    assert first["difference_ratio_percent"] == first["delta_percent"] == pytest.approx(4, abs=0.02)
    assert first["step_difference_percent"] == first["difference_ratio_percent"]
    assert second["difference_ratio_percent"] == pytest.approx(5, abs=0.02)
    assert second["delta_percent"] == second["difference_ratio_percent"] - 4.0
    assert second["step_difference_percent"] == pytest.approx(1, abs=0.02)
    assert second["brightness_drift_levels"] == pytest.approx(0.05 * 255, abs=0.05)
    assert second["network_drift_levels"] == 3.0
    assert abs(second["alpha_mean"]) < 0.02 and second["alpha_std"] >= 0


def test_workers_measure_what_one_process_measures(sets):
    source, one, two = sets
    enhancer = Enhancer(networks.build("residual1"))

    def work(workers):
        return [
            measure_change(source, two, one, 4.0, workers),
            measure_fit(enhancer, source, one, workers),
            measure_coded(enhancer, source, workers),
            difference_ratio(source, one, workers),
        ]

    alone = work(ALONE)
    assert all(alone) and in_workers(3, work) == [alone] * 3


def test_shards_without_images_of_a_worker_are_not_read(sets, monkeypatch):
    source, one, _ = sets
    read, real = [], ShardSet.records

    def records(shards, number, dtypes):
        read.append(number)
        return real(shards, number, dtypes)

    monkeypatch.setattr(ShardSet, "records", records)
    names = list(source.shards[1]["sizes"])[1:]
    assert [name for name, *_ in pairs(source, one, names)] == names
    assert read == [1, 1]  # of the source, and of the stage
    assert [name for name, *_ in pairs(source, one)] == list(source.sizes)


def test_unsharp_mask_changes_as_much_as_the_first_stage_and_grows(sets):
    ratios = unsharp_ratios(sets[0], 0.8, 4)
    assert ratios[0] == pytest.approx(0.8, rel=1e-4)
    assert ratios[1] > 1.9 * ratios[0] and (np.diff(ratios, 2) > 0).all()
    hr_0 = (
        next(iter(sets[0].records(0, {"hr": np.uint8}))).arrays["hr"][None].astype(np.float32) / 255
    )
    assert change_percent(hr_0, gaussian(hr_0, 1.0).numpy()) > 0


def test_crops_are_at_the_same_positions_in_every_stage(sets, tmp_path):
    source, one, _ = sets
    save_crops(tmp_path / "originals.npz", source, None)
    save_crops(tmp_path / "stage.npz", source, one)
    originals, stage = (
        dict(np.load(tmp_path / "originals.npz")),
        dict(np.load(tmp_path / "stage.npz")),
    )
    assert list(originals) == list(stage) and "slider" in stage and len(stage) == 6
    for name, crop in originals.items():
        assert crop.dtype == np.uint8 and crop.shape == stage[name].shape
        if name != "slider":
            assert crop.shape == (64, 64, 3)
        brighter = np.clip(crop + 0.04 * 255, 0, 255)
        assert np.abs(stage[name] - brighter).max() <= 1
