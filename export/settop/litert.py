"""An exported TFLite file, and pictures of its size and larger through it. LiteRT and numpy alone, as on a device."""

import ctypes
import pathlib
from collections.abc import Callable

import numpy as np

from export.settop.errors import SettopError
from export.settop.tiles import spans

RADIUS = b"receptive_radius"  # under which the export notes it in the file's metadata


class Network:
    """A file of ``rts_tf.export`` in LiteRT.

    Attributes:
        head: "enhance" or "upscale".
        scale: pixels a side that come out for one that goes in, 1 or 2.
        size: (height, width) of the frame it takes; (0, 0) if it takes any.
        radius: pixels of the input on each side on which a pixel of the output depends; None if the file does not say.
    """

    def __init__(
        self,
        path: pathlib.Path,
        threads: int,
        delegate: str = "",
        options: dict[str, str] | None = None,
    ):
        """
        Args:
            delegate: shared library with a LiteRT delegate, such as the vendor of an NPU provides; ``options``: for it.

        Raises:
            SettopError: names the file or the library, and why it cannot be used.
        """
        from ai_edge_litert import interpreter as litert

        if not path.is_file():
            raise SettopError(f"{path}: no such file")
        delegates = []
        if delegate:
            try:
                ctypes.CDLL(delegate).tflite_plugin_create_delegate  # noqa: B018 - LiteRT prints a traceback if it is not there
                delegates = [litert.load_delegate(delegate, options)]
            except (OSError, ValueError, RuntimeError, AttributeError) as error:
                raise SettopError(
                    f"--delegate={delegate}: cannot be loaded ({_one_line(error)})"
                ) from None
        try:
            opened = litert.Interpreter(
                str(path), num_threads=threads, experimental_delegates=delegates
            )
            signatures = opened.get_signature_list()
            (self._input,), (self._output,) = (
                opened.get_input_details(),
                opened.get_output_details(),
            )
        except (ValueError, RuntimeError) as error:
            with_delegate = f" with --delegate={delegate}" if delegate else ""
            raise SettopError(
                f"{path}: cannot be opened{with_delegate} ({_one_line(error)})"
            ) from None
        if list(signatures) not in (["enhance"], ["upscale"]) or len(self._input["shape"]) != 4:
            raise SettopError(
                f"{path}: is not a file of rts_tf.export, which has the signature 'enhance' or 'upscale'"
            )
        self._path, self._interpreter, (self.head,) = path, opened, signatures
        self.scale = 2 if self.head == "upscale" else 1
        self.size = tuple(max(0, int(side)) for side in self._input["shape_signature"][1:3])
        self.radius, self._shape = (
            _noted_radius(path),
            None,
        )  # the shape that LiteRT is prepared for

    def run(self, frame: np.ndarray) -> np.ndarray:
        """uint8 [H, W, 3] of the file's size -> uint8 [scale * H, scale * W, 3]; what is beyond black and white is cut off."""
        if self._shape != frame.shape:
            self._interpreter.resize_tensor_input(self._input["index"], [1, *frame.shape])
            self._interpreter.allocate_tensors()
            self._shape = frame.shape
        levels = self._input["dtype"] == np.uint8
        image = frame if levels else frame.astype(np.float32) / np.float32(255)
        self._interpreter.set_tensor(self._input["index"], image[None])
        self._interpreter.invoke()
        output = self._interpreter.get_tensor(self._output["index"])[0]
        return (
            output
            if output.dtype == np.uint8
            else np.clip(np.rint(output * np.float32(255)), 0, 255).astype(np.uint8)
        )

    def tile_size(
        self, height: int, width: int, longest: int = 0, overlap: int = -1
    ) -> tuple[tuple[int, int], int]:
        """The size of the tiles in which a picture of ``height`` x ``width`` goes through, and their radius.

        Args:
            longest: pixels a side of a tile, for a file that takes any size; 0: the whole picture at once.
            overlap: the radius, for a file that does not say it; -1: as it says.

        Raises:
            SettopError: the picture is smaller than the file's frame, or tiles cannot be exact.
        """
        fixed = self.size != (0, 0)
        if fixed and longest:
            raise SettopError(
                f"--tile={longest}: is for files of any size; {self._path.name} takes {self._frame} alone"
            )
        size = (
            self.size if fixed else (min(height, longest or height), min(width, longest or width))
        )
        if size[0] > height or size[1] > width:
            raise SettopError(
                f"{width}x{height} is smaller than {self._frame}, the frame of {self._path.name}: export a smaller one"
                " (--height, --width), or take a 'dynamic' file"
            )
        if size == (height, width):
            return size, 0
        radius = self.radius if overlap < 0 else overlap
        if radius is None:
            raise SettopError(
                f"{self._path.name}: does not say how far its network looks, so tiles would show; export it again, or name the"
                " radius with --overlap (residual1, 3, 6: 7, 9, 12 for 'enhance', 4, 6, 9 for 'upscale')"
            )
        if any(side <= 2 * radius and side < whole for side, whole in zip(size, (height, width))):
            what = (
                f"--tile={longest}" if longest else f"{self._path.name}: its frame of {self._frame}"
            )
            raise SettopError(
                f"{what} leaves nothing of a tile, whose network looks {radius} pixels far on each side"
            )
        return size, radius

    def run_tiles(
        self,
        picture: np.ndarray,
        size: tuple[int, int],
        radius: int,
        on_tile: Callable[[], None] = lambda: None,
    ) -> np.ndarray:
        """``run`` on a picture of any size not below ``size``, in tiles of that; equal to the whole picture at once."""
        height, width, _ = picture.shape
        if size == (height, width):
            return self.run(picture)
        scale, result = self.scale, np.empty((self.scale * height, self.scale * width, 3), np.uint8)
        for rows in spans(height, size[0], radius):
            for columns in spans(width, size[1], radius):
                tile = self.run(np.ascontiguousarray(picture[rows.read, columns.read]))
                inner = tile[_scaled(rows.inner, scale), _scaled(columns.inner, scale)]
                result[_scaled(rows.write, scale), _scaled(columns.write, scale)] = inner
                on_tile()
        return result

    @property
    def _frame(self) -> str:
        return f"{self.size[1]}x{self.size[0]}"


def _scaled(span: slice, scale: int) -> slice:
    return slice(scale * span.start, scale * span.stop)


def _noted_radius(path: pathlib.Path) -> int | None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(path.read_bytes(), 0)
    for i in range(model.MetadataLength()):
        if model.Metadata(i).Name() == RADIUS:
            return int(model.Buffers(model.Metadata(i).Buffer()).DataAsNumpy().tobytes())
    return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
