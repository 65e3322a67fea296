"""The weights that stage 1 starts from: the network's own start, or trained ones (`init`).

A run keeps a copy of trained weights as its stage 0, with their name and hash in ``init.json``. So
it can be continued when they have moved, changed or gone.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import numpy as np

from rts_tf import inference, networks, pretrained
from rts_tf.config import DEFAULT_NETWORK, NETWORKS, Config
from rts_tf.errors import ConfigError, RtsError, first_line
from rts_tf.luma.loading import is_luma_model
from rts_tf.networks.registry import registered_name
from rts_tf.networks.weights import weights_sha256
from rts_tf.pretrained.keras_file import load_weights
from rts_tf.storage import atomic_path, read_json, read_json_or_none, write_json
from rts_tf.training.run_directory import RunDirectory

_WEIGHTS_SUFFIX = ".weights.h5"


class Initial(NamedTuple):
    """Trained weights.

    Attributes:
        network: The name of the network that they are of, as :func:`rts_tf.networks.build` takes.
        weights: The weights, as of ``keras.Model.get_weights``.
    """

    network: str
    weights: list[np.ndarray]


def settled(config: Config) -> Config:
    """Return the settings of a new run with the name of its network.

    Raises:
        ConfigError: The network cannot be built, or the weights of `init` cannot be used.
    """
    if config.init:
        return dataclasses.replace(config, network=read_initial(config).network)
    if config.network == "auto":
        return dataclasses.replace(config, network=DEFAULT_NETWORK)
    if ":" in config.network:
        networks.build(config.network)
    return config


def start_weights(
    directory: RunDirectory[Config], network: keras.Model, say: Callable[[str], None]
) -> list[np.ndarray]:
    """Return the weights that stage 1 starts from, and make stage 0 of a run with `init`.

    Args:
        network: The network of the run at its own start.
        say: Called with one line if the copy of the weights is damaged.

    Raises:
        ConfigError: The copy is missing, and the weights of `init` cannot be used or are not those
            that the run began with.
    """
    config, recorded = directory.config, read_json(directory.init_file)
    if not config.init:
        own_start, glorot = network.get_weights, networks.glorot_start
        return own_start() if config.identity_start else glorot(network, config.seed)
    stage = directory.stage(0)
    if recorded and stage.model_file.exists():
        weights = _copied(stage.model_file, recorded["weights_sha256"])
        if weights:
            return weights
        say(f"{stage.model_file}: is damaged; it is made again from {config.init}")
    weights = read_initial(config).weights
    record = {
        "init": config.init,
        "network": config.network,
        "weights_sha256": weights_sha256(weights),
    }
    if recorded and recorded["weights_sha256"] != record["weights_sha256"]:
        raise ConfigError(
            f"`init`={config.init}: the weights are not those that the run began with. Put these"
            " back, or start a run in another `workdir`."
        )
    network.set_weights(weights)
    stage.root.mkdir(exist_ok=True)
    with atomic_path(stage.model_file) as temporary:
        network.save(temporary)
    write_json(directory.init_file, record)
    return weights


def _copied(file: pathlib.Path, sha256: str) -> list[np.ndarray]:
    """The weights in ``file``; an empty list if they are damaged."""
    try:
        weights = inference.load(file).network.get_weights()
    except RtsError:
        return []
    return weights if weights_sha256(weights) == sha256 else []


def read_initial(config: Config) -> Initial:
    """Read the weights that the setting `init` names.

    Raises:
        ConfigError: There are none of that name, a file is damaged or of another kind, or they are
            not of the network that the settings name.
    """
    if ":" in config.network:
        networks.build(config.network)  # its module has the layers that the file may need
    try:
        found, weights = _read(config.init, config.network)
    except RtsError as error:
        raise ConfigError(f"`init`: {error}") from None
    own = ":" in config.network
    if config.network == "auto" and found is None:
        raise ConfigError(
            f"`init`={config.init}: holds a network that is not of this package; name the function"
            " that builds it as `network`=module:function."
        )
    name = found if config.network == "auto" and found else config.network
    if found not in (None, name) and not own:
        raise ConfigError(
            f"`network`={name}: the weights of `init`={config.init} are of {found}; leave `network`"
            " out to train that one."
        )
    if _shapes(networks.build(name).get_weights()) != _shapes(weights):
        raise ConfigError(f"`init`={config.init}: the weights do not fit the network {name}.")
    return Initial(name, weights)


def _read(init: str, network: str) -> tuple[str | None, list[np.ndarray]]:
    """The network's name, None if it is not of this package, and the weights.

    Raises:
        RtsError: There are no such weights, or they cannot be used.
    """
    if is_luma_model(init):
        raise RtsError(
            f"{init} is a network for luma, which keeps the size; name weights of a network that"
            " doubles it, such as residual3"
        )
    if init in pretrained.names():
        return pretrained.record(init)["network"], pretrained.network(init).get_weights()
    path = pathlib.Path(init).expanduser()
    if path.name.endswith(_WEIGHTS_SUFFIX):
        return _read_weights_file(path, network)
    if path.is_file() and path.suffix != ".keras":
        raise RtsError(f"{path}: is neither a run directory nor a .keras or .weights.h5 file")
    recorded = str((read_json_or_none(path / "config.json") or {}).get("network", ""))
    if ":" in recorded and recorded != network:  # a file must not choose what is imported
        raise RtsError(
            f"{init}: was trained with a network of its own, which is code; if you trust it, name"
            f" it too, `network`={recorded[:200]}"
        )
    model = inference.load(init).network
    return recorded or registered_name(model), model.get_weights()


def _read_weights_file(path: pathlib.Path, network: str) -> tuple[str, list[np.ndarray]]:
    """The weights in a .weights.h5 file. Only their shapes tell of which network they are."""
    try:
        shapes = sorted(_shapes_in(path))
    except FileNotFoundError:
        raise RtsError(f"{path}: no such file") from None
    # HDF5 raises errors of several types on damaged files.
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise RtsError(f"{path}: is not a file of weights ({first_line(error)})") from None
    names = NETWORKS if network == "auto" else (network,)
    for name in names:
        built = networks.build(name)
        if sorted(_shapes(built.get_weights())) != shapes:
            continue
        try:
            load_weights(built, path)
        except Exception as error:  # Keras raises many types on a file that does not fit
            raise RtsError(f"{path}: cannot be loaded ({first_line(error)})") from None
        return name, built.get_weights()
    which = "any network of this package" if network == "auto" else f"the network {network}"
    raise RtsError(f"{path}: does not hold the weights of {which}; name the right one as `network`")


def _shapes(weights: list[np.ndarray]) -> list[tuple[int, ...]]:
    return [array.shape for array in weights]


def _shapes_in(path: pathlib.Path) -> Iterator[tuple[int, ...]]:
    """The shapes of all weights in a .weights.h5 file, without those of an optimizer."""
    import h5py  # Keras needs it too

    found = {}

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer"):
            found[name] = tuple(item.shape)

    with open(path, "rb") as file, h5py.File(file) as weights:
        weights.visititems(look)
    yield from found.values()
