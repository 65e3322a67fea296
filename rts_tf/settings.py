"""What the settings of a training have in common: checks of each field, and a JSON round trip.

Nothing here imports TensorFlow, so a mistyped flag is reported at once.
"""

from __future__ import annotations  # Python 3.10 has no typing.Self

import abc
import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self

from rts_tf.errors import ConfigError, first_line

PRECISIONS = ("auto", "float32", "mixed_bfloat16")


def setting(default: Any, text: str, choices: tuple = ()) -> Any:
    """A field of :class:`Settings`, with the help text of its flag and the values that it allows.

    Without ``choices``, all values of the type of ``default`` are allowed.
    """
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices})


@dataclasses.dataclass(frozen=True)
class Settings(abc.ABC):
    """The base of the settings of a training, with the fields that all trainings have.

    Each field is made by :func:`setting`.

    Attributes:
        ADDED: The names of fields that earlier versions did not have. They may be missing in JSON.
        EXTENDING: The names of fields that say how far a training goes. A training that is over
            can be continued with other values, see :meth:`extends`.
    """

    ADDED: ClassVar[frozenset[str]] = frozenset()
    EXTENDING: ClassVar[frozenset[str]] = frozenset()

    data: str = setting("sample", "Training images: 'sample', 'div2k', or a folder.")
    validation: str = setting(
        "", "Validation images: a folder; empty: the source's own, or a tenth of the folder."
    )
    data_dir: str = setting("", "Where tensorflow-datasets keeps DIV2K (with `data`=div2k).")
    seed: int = setting(1, "Seed of everything drawn at random.")
    precision: str = setting(
        "auto", "Arithmetic of convolutions; auto: bfloat16 if the hardware has it.", PRECISIONS
    )
    images_per_shard: int = setting(8, "Images in one TFRecord shard.")

    @abc.abstractmethod
    def validate(self) -> Self:
        """Return the settings themselves.

        Raises:
            ConfigError: A setting cannot work; the message names it.
        """

    def check_each(self, limits: Mapping[str, tuple[float, float]]) -> None:
        """Check the type, the choices and the limits of each field on its own.

        Args:
            limits: The least and the largest value by the name of the field.

        Raises:
            ConfigError: A field has none of these; the message names it.
        """
        for field in dataclasses.fields(self):
            _check_type_and_choice(field, getattr(self, field.name))
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"`{name}`={getattr(self, name)}: must be from {low} to {high}.")

    def continuing(self, recorded: Self) -> Self:
        """Return these settings for a run that began with ``recorded``.

        What is left open here (``"auto"``) is as it was settled when the run began.
        """
        if self.precision != "auto":
            return self
        return dataclasses.replace(self, precision=recorded.precision)

    def extends(self, recorded: Self, begun: int) -> bool:
        """Whether a run that began with ``recorded`` may go on with these settings, if they differ.

        The result must be that of a run which began with these.

        Args:
            recorded: The settings of the run.
            begun: How many stages the run has begun.
        """
        return False

    def to_json(self) -> str:
        """Return the settings as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the settings that ``to_json`` wrote.

        Raises:
            ConfigError: The text is damaged, or a setting is missing, unknown or invalid. Settings
                that an earlier version did not have may be missing; their defaults do not change
                what its runs do.
        """
        try:
            values = json.loads(text)
            known = {field.name for field in dataclasses.fields(cls)}
            if not isinstance(values, dict) or not known - cls.ADDED <= set(values) <= known:
                raise ValueError("not the settings of this version")
            return cls(**values).validate()
        except (ValueError, TypeError, RecursionError, ConfigError) as error:
            reason = first_line(error).rstrip(".")
            raise ConfigError(f"cannot read the settings: {reason}") from None

    def differences(self, other: Self) -> list[str]:
        """Return a line ``field: mine, here theirs`` for every field that differs."""
        mine, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        return [
            f"{name}: {mine[name]!r:.200}, here {theirs[name]!r:.200}"
            for name in mine
            if mine[name] != theirs[name]
        ]


def _check_type_and_choice(field: dataclasses.Field, value: Any) -> None:
    kind, choices = type(field.default), field.metadata["choices"]
    if type(value) is not kind and (kind, type(value)) != (float, int):
        raise ConfigError(f"`{field.name}`={value!r}: must be of type {kind.__name__}.")
    is_own_network = field.name == "network" and ":" in value
    if choices and value not in choices and not is_own_network:
        raise ConfigError(f"`{field.name}`={value}: choose one of {', '.join(choices)}.")
