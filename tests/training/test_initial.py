"""Training from weights: the package's, those of a run, and of files; and weights of no use."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

import rts_tf
from rts_tf import networks
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError
from rts_tf.networks.weights import weights_sha256
from rts_tf.training.initial import read_initial, settled
from rts_tf.training.recurrence import train
from tests.support.commands import TINY, command, refused, state
from tests.support.networks import random_network
from tests.support.training import NORMALIZED

OWN = NORMALIZED.network
# One step at a rate that moves no weight by more than a ten thousandth
STILL = {
    "stages": 1,
    "first_steps": 1,
    "later_steps": 1,
    "learning_rate": 1e-4,
    "schedule": "constant",
    "patch": 32,
    "batch": 1,
    "precision": "float32",
}


def still(data, **settings) -> Config:
    return preset("quick", data=str(data), validation=str(data), **(STILL | settings))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, pathlib.Path]:
    """Files of a network of this package, and of one of the user."""
    folder, network = tmp_path_factory.mktemp("init"), random_network("residual1")
    own = networks.build(OWN)
    network.save(folder / "named.keras")
    network.save_weights(folder / "named.weights.h5")
    own.save(folder / "own.keras")
    own.save_weights(folder / "own.weights.h5")
    return {path.name: path for path in folder.iterdir()} | {"network": network, "own": own}


@pytest.mark.parametrize("name", ["named.keras", "named.weights.h5"])
def test_the_network_follows_from_the_file(files, name):
    config = settled(preset("quick", init=str(files[name])))
    assert config.network == "residual1"
    expected = weights_sha256(files["network"].get_weights())
    assert weights_sha256(read_initial(config).weights) == expected


@pytest.mark.parametrize("name", ["residual3", "residual3-wide", "residual6"])
def test_the_network_follows_from_weights_of_the_package(name):
    config = settled(preset("quick", init=name))
    assert config.network == name
    expected = rts_tf.load(name).network.get_weights()
    assert weights_sha256(read_initial(config).weights) == weights_sha256(expected)


@pytest.mark.parametrize("name", ["own.keras", "own.weights.h5"])
def test_a_network_with_a_module_of_its_own(files, name):
    found = read_initial(preset("quick", init=str(files[name]), network=OWN))
    assert found.network == OWN
    assert weights_sha256(found.weights) == weights_sha256(files["own"].get_weights())


def test_without_init_the_network_is_the_default():
    assert settled(preset("quick")).network == "residual3"
    assert settled(preset("quick", network="edsr")).network == "edsr"


@pytest.fixture(scope="module")
def run(files, small_photographs, tmp_path_factory):
    """(directory, summary) of a run of two stages from a file that is gone since."""
    folder = tmp_path_factory.mktemp("run")
    init = shutil.copy(files["named.keras"], folder / "init.keras")
    summary = train(still(small_photographs, init=str(init), stages=2), folder / "run")
    init.unlink()
    return folder / "run", summary


def far(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """The largest difference of two networks' weights."""
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True))


def test_stage_1_starts_from_the_weights(files, run):
    trained = rts_tf.load(run[0] / "stage_1" / "model.keras").network.get_weights()
    assert 0 < far(trained, files["network"].get_weights()) < 2e-4


def test_the_run_records_them(files, run):
    directory, summary = run
    expected = {
        "init": str(directory.parent / "init.keras"),
        "network": "residual1",
        "weights_sha256": weights_sha256(files["network"].get_weights()),
    }
    assert json.loads((directory / "init.json").read_text()) == expected == summary["init"]
    assert summary["network"] == summary["config"]["network"] == "residual1"
    assert {path.name for path in (directory / "stage_0").iterdir()} == {"model.keras"}


def unfinished(run, tmp_path) -> pathlib.Path:
    """A copy of the run in which stage 1 has to be trained again."""
    copied = shutil.copytree(run[0], tmp_path / "run")
    (copied / "summary.json").unlink()
    for number in (1, 2):
        shutil.rmtree(copied / f"stage_{number}")
    return copied


def hashes(summary: dict) -> list[str]:
    return [stage["weights_sha256"] for stage in summary["stages"]]


def test_a_run_continues_after_its_weights_have_gone(run, small_photographs, tmp_path):
    config = Config(**run[1]["config"])
    again = train(dataclasses.replace(config, network="auto"), unfinished(run, tmp_path))
    assert hashes(again) == hashes(run[1])


def test_a_damaged_copy_is_made_again_from_the_same_weights(files, run, tmp_path):
    directory, config, lines = unfinished(run, tmp_path), Config(**run[1]["config"]), []
    (directory / "stage_0" / "model.keras").write_bytes(b"PK")
    with pytest.raises(ConfigError, match="^`init`: .*init.keras: no such file"):
        train(config, directory)
    init = pathlib.Path(config.init)
    try:
        files["own"].save(init)
        with pytest.raises(ConfigError, match="^`init`=.*(do not fit|are not those)"):
            train(config, directory)
        shutil.copy(files["named.keras"], init)
        assert hashes(train(config, directory, lines.append)) == hashes(run[1])
    finally:
        init.unlink()
    assert any("model.keras: is damaged; it is made again from" in line for line in lines)


def test_other_weights_are_refused_like_any_other_setting(run):
    config = Config(**run[1]["config"])
    before = state(run[0])
    with pytest.raises(ConfigError, match="other settings .init: '.*', here 'residual1'"):
        train(dataclasses.replace(config, init="residual1"), run[0])
    assert state(run[0]) == before


def test_the_selected_stage_of_a_run(run):
    found = read_initial(preset("quick", init=str(run[0])))
    assert found.network == "residual1"
    assert weights_sha256(found.weights) == run[1]["weights_sha256"]


def test_enhanced_targets_continue_the_stages(files, small_photographs, tmp_path):
    """Stage 1 trains on what Phase B makes with the weights, and is compared with it."""
    init = str(files["named.keras"])
    settings = {"init": init, "keep_targets": True, "stages": 2, "stop_early": False}
    plain = train(still(small_photographs, **settings), tmp_path / "plain")["stages"]
    settings["first_targets"] = "enhanced"
    summary = train(still(small_photographs, **settings), tmp_path / "run")
    stage = summary["stages"][0]
    assert (tmp_path / "run/stage_0/targets/manifest.json").exists()
    assert hashes({"stages": plain})[0] != stage["weights_sha256"]
    # The network hardly moves, so that stage 1 is where the weights were, and HR_1 is near HR_0'.
    assert stage["step_difference_percent"] < 0.2 * plain[0]["step_difference_percent"]
    assert abs(stage["delta_percent"]) < 0.2 * stage["difference_ratio_percent"]


def test_targets_of_the_weights_go_with_the_others(files, small_photographs, tmp_path):
    settings = {"init": str(files["named.keras"]), "first_targets": "enhanced"}
    train(still(small_photographs, **settings), tmp_path / "run")
    left = {path.name for path in (tmp_path / "run/stage_0").iterdir()}
    assert "model.keras" in left and not left & {"targets", "validation"}


def test_the_command_from_weights_of_the_package(photo_folder, tmp_path):
    flags = [*TINY[1:], f"--data={photo_folder}", "--init=residual1"]
    code, out, err = command(f"--workdir={tmp_path / 'run'}", *flags)
    assert code == 0, out + err
    assert json.loads((tmp_path / "run/config.json").read_text())["init"] == "residual1"
    code, out, _ = command(f"--workdir={tmp_path / 'run'}", *flags)
    assert code == 0 and "nothing to do" in out
    line = refused(f"--workdir={tmp_path / 'run'}", *flags, "--init=residual3")
    assert "init: 'residual1', here 'residual3'" in line


def enlarging_by_three(folder):
    import keras
    from keras import layers

    from rts_tf.networks.layers import PixelShuffle

    image = keras.Input((None, None, 3))
    output = PixelShuffle(3)(layers.Conv2D(27, 3, padding="same")(image))
    keras.Model(image, output).save(folder / "three.keras")
    return ["--init={}/three.keras"], "does not double the size"


def unfinished_run(folder):
    (folder / "begun").mkdir()
    (folder / "begun" / "config.json").write_text(Config(network="residual1").to_json())
    return ["--init={}/begun"], "{}/begun: has no final.keras; let the run finish"


BAD = {  # name: what makes the flags and the reason, in both of which {} stands for the folder
    "missing": lambda folder: (["--init={}/none"], "--init: {}/none: no such file or directory"),
    "missing weights": lambda folder: (
        ["--init={}/none.weights.h5"],
        "--init: {}/none.weights.h5: no such file",
    ),
    "damaged": lambda folder: (["--init={}/cut.keras"], "--init: {}/cut.keras: is not a network"),
    "damaged weights": lambda folder: (
        ["--init={}/cut.weights.h5"],
        "--init: {}/cut.weights.h5: is not a file of weights",
    ),
    "an image": lambda folder: (["--init={}/0.png"], "neither a run directory nor a .keras"),
    "luma": lambda folder: (["--init=fast"], "--init: fast is a network for luma"),
    "another scale": enlarging_by_three,
    "unfinished run": unfinished_run,
    "another network": lambda folder: (
        ["--init=residual3", "--network=residual6"],
        "--network=residual6: the weights of --init=residual3 are of residual3; leave --network",
    ),
    "weights of another network": lambda folder: (
        ["--init={}/named.weights.h5", "--network=residual6"],
        "does not hold the weights of the network residual6",
    ),
    "weights of an unknown network": lambda folder: (
        ["--init={}/own.weights.h5"],
        "does not hold the weights of any network of this package",
    ),
    "a network of one's own": lambda folder: (
        ["--init={}/own.keras"],
        "is not of this package; name the function that builds it as --network=module:function",
    ),
    "another network of one's own": lambda folder: (
        ["--init={}/named.keras", f"--network={OWN}"],
        f"the weights do not fit the network {OWN}",
    ),
    "random start": lambda folder: (
        ["--init=residual3", "--noidentity_start"],
        "--init=residual3: leave --identity_start out, or --init",
    ),
    "enhanced by nothing": lambda folder: (
        ["--first_targets=enhanced"],
        "--first_targets=enhanced: name the weights that enhance them with --init",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_weights_of_no_use_are_refused_and_leave_nothing(kind, files, photo_folder, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("named.keras", "named.weights.h5", "own.keras", "own.weights.h5"):
        shutil.copy(files[name], folder)
    for end in ("keras", "weights.h5"):
        (folder / f"cut.{end}").write_bytes(files[f"named.{end}"].read_bytes()[:2000])
    shutil.copy(photo_folder / "0.png", folder)
    arguments, reason = BAD[kind](folder)
    given = [argument.replace("{}", str(folder)) for argument in arguments]
    line = refused(f"--workdir={tmp_path / 'run'}", f"--data={photo_folder}", *TINY[1:], *given)
    assert reason.replace("{}", str(folder)) in line
    assert not (tmp_path / "run").exists()
