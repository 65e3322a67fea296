"""Runs an exported TFLite file on images of its size and larger, with LiteRT and numpy alone."""

import ctypes
import pathlib
from collections.abc import Callable

import numpy as np

from .errors import SettopError
from .model_file import PACK, RADIUS, checked_notes
from .tiles import spans


class Network:
    """A file of ``rts_tf.export`` that is open in LiteRT. Its frames are RGB, or luma alone.

    What is smaller than the file's frame is extended to it by repeating its border, and the result
    is cropped. A file for luma repeats the border of its frame itself, so its result does not
    depend on where the frame ends. With a file for RGB, the pixels at such a border come out as
    within an image that goes on, not as at the border of an image of that size.

    Attributes:
        head: "enhance" or "upscale".
        luma: whether it takes planes of luma. Full and limited range are alike to it.
        scale: output pixels a side for each input pixel, 1 or 2.
        size: (height, width) of the frame that it takes; (0, 0) if it takes any.
        radius: pixels of the input on each side on which a pixel of the output depends; None if
            the file does not say.
        pack: pixels a side of the blocks that become one position; tiles begin with a block.
    """

    def __init__(
        self,
        path: pathlib.Path,
        threads: int,
        delegate: str = "",
        options: dict[str, str] | None = None,
    ):
        """Open a file.

        Args:
            path: the file.
            threads: number of threads on the CPU.
            delegate: shared library with a LiteRT delegate, as the vendor of an NPU provides it.
            options: for the delegate.

        Raises:
            SettopError: if the file or the library cannot be used; the message says why.
        """
        from ai_edge_litert import interpreter as litert

        if not path.is_file():
            raise SettopError(f"{path}: no such file")
        delegates = [_loaded(delegate, options)] if delegate else []
        try:
            notes = checked_notes(path.read_bytes())
            opened = litert.Interpreter(
                str(path), num_threads=threads, experimental_delegates=delegates
            )
            signatures = opened.get_signature_list()
            (self._input,) = opened.get_input_details()
            (self._output,) = opened.get_output_details()
        except Exception as error:  # LiteRT raises errors of many types on files that are damaged
            with_delegate = f" with --delegate={delegate}" if delegate else ""
            raise SettopError(
                f"{path}: cannot be opened{with_delegate} ({_one_line(error)})"
            ) from None
        shape, signature = self._input["shape"], self._input["shape_signature"]
        kinds = {1: ["enhance"], 3: ["enhance", "upscale"]}  # by the channels of the image
        if len(shape) != 4 or list(signatures) not in ([head] for head in kinds.get(shape[3], ())):
            raise SettopError(
                f"{path}: is not a file of rts_tf.export, which has the signature 'enhance' or"
                " 'upscale'"
            )
        self._path, self._interpreter, (self.head,) = path, opened, signatures
        self.luma = shape[3] == 1
        self.scale = 2 if self.head == "upscale" else 1
        height, width = (max(0, int(side)) for side in signature[1:3])
        self.size = height, width
        self.radius, self.pack = notes.get(RADIUS), notes.get(PACK, 1)
        if self.luma and (PACK not in notes or 0 in self.size):
            raise SettopError(
                f"{path}: is not a file for luma of rts_tf.export, which has one fixed size and"
                " says its 'pack'"
            )
        self._shape: list[int] = []  # of the frame that LiteRT is prepared for
        self._entry, self._result = (
            opened.tensor(of["index"]) for of in (self._input, self._output)
        )

    def run(self, frame: np.ndarray) -> np.ndarray:
        """Run the network on one frame.

        Args:
            frame: uint8 [H, W, 3], or [H, W] for a file for luma; not larger than the file's frame.

        Returns:
            uint8 [scale * H, scale * W, 3], or [H, W]. Values beyond black and white are clipped.
        """
        result = self._like(frame)
        height, width = result.shape[:2]
        result[:] = _levels(self._computed(frame)[:height, :width])
        return result

    def _computed(self, frame: np.ndarray) -> np.ndarray:
        """Run the network, and return its output where LiteRT has it: nobody may keep that."""
        try:
            return self._run_at(frame, frame.shape[:2] if self.size == (0, 0) else self.size)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise SettopError(f"{self._path}: cannot be run ({_one_line(error)})") from None

    def _run_at(self, frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        shape = [1, *size, 1 if self.luma else 3]
        if self._shape != shape:
            self._interpreter.resize_tensor_input(self._input["index"], shape)
            self._interpreter.allocate_tensors()
            self._shape = shape
        entry, (height, width) = self._entry()[0], frame.shape[:2]
        if self.luma:
            entry = entry[..., 0]
        levels = entry.dtype == np.uint8
        entry[:height, :width] = frame if levels else frame.astype(np.float32) / np.float32(255)
        entry[:height, width:] = entry[:height, width - 1 : width]
        entry[height:] = entry[height - 1 : height]
        del entry  # LiteRT refuses to compute while somebody has its memory
        self._interpreter.invoke()
        result = self._result()
        wanted = [1, self.scale * size[0], self.scale * size[1], shape[3]]
        if list(result.shape) != wanted:
            raise ValueError(f"its output is {list(result.shape)}, not {wanted}")
        return result[0, ..., 0] if self.luma else result[0]

    def _like(self, image: np.ndarray) -> np.ndarray:
        """Return an array for the result of an image."""
        height, width, *channels = image.shape
        return np.empty((self.scale * height, self.scale * width, *channels), np.uint8)

    def tile_size(
        self, height: int, width: int, longest: int = 0, overlap: int = -1
    ) -> tuple[tuple[int, int], int]:
        """Choose the tiles in which an image of ``height`` x ``width`` goes through.

        Args:
            height: of the image, in pixels.
            width: likewise.
            longest: longest side of a tile, for a file that takes any size; 0: the whole image at
                once.
            overlap: the receptive radius, for a file that does not say it; -1: as the file says.

        Returns:
            Height and width of the tiles, and the radius by which they overlap.

        Raises:
            SettopError: if tiles would show.
        """
        fixed = self.size != (0, 0)
        if fixed and longest:
            raise SettopError(
                f"--tile={longest}: is for files of any size; {self._path.name} takes {self._frame}"
                " alone"
            )
        size = self.size
        if not fixed:
            size = min(height, longest or height), min(width, longest or width)
        if size[0] >= height and size[1] >= width:
            return size, 0
        radius = self.radius if overlap < 0 else overlap
        if radius is None:
            raise SettopError(
                f"{self._path.name}: does not say its receptive radius, so tiles would show; export"
                " it again, or name the radius with --overlap (residual1, 3, 6: 7, 9, 12 for"
                " 'enhance', 4, 6, 9 for 'upscale')"
            )
        try:
            for side, whole in zip(size, (height, width)):
                spans(whole, side, radius, self.pack)
        except ValueError:
            what = f"{self._path.name}: its frame of {self._frame}"
            if longest:
                what = f"--tile={longest}"
            raise SettopError(
                f"{what} leaves nothing of a tile, since the receptive radius of the network is"
                f" {radius} pixels"
            ) from None
        return size, radius

    def run_tiles(
        self,
        image: np.ndarray,
        size: tuple[int, int],
        radius: int,
        on_tile: Callable[[], None] = lambda: None,
    ) -> np.ndarray:
        """Run the network on an image of any size in tiles.

        With an int8 file the result is exactly that of the whole image at once, on every CPU: sums
        of integers do not depend on their order. With a file in floating point it is that up to
        rounding, so at most one level off; on x86 CPUs LiteRT sums in the same order for every
        pixel, and no difference was found. A delegate for an NPU or GPU promises neither.

        Args:
            image: uint8 [H, W, 3], or [H, W] for a file for luma.
            size: of the tiles (``tile_size``).
            radius: by which they overlap.
            on_tile: is called after every tile.

        Returns:
            uint8 [scale * H, scale * W, 3], or [H, W].
        """
        height, width = image.shape[:2]
        if size == (height, width):
            return self.run(image)
        scale, result = self.scale, self._like(image)
        for rows in spans(height, size[0], radius, self.pack):
            for columns in spans(width, size[1], radius, self.pack):
                tile = self._computed(image[rows.read, columns.read])
                inner = tile[_scaled(rows.inner, scale), _scaled(columns.inner, scale)]
                result[_scaled(rows.write, scale), _scaled(columns.write, scale)] = _levels(inner)
                del tile, inner  # as in _computed
                on_tile()
        return result

    @property
    def _frame(self) -> str:
        return f"{self.size[1]}x{self.size[0]}"


def _loaded(delegate: str, options: dict[str, str] | None) -> object:
    """Load a delegate. Raises SettopError if that fails."""
    from ai_edge_litert.interpreter import load_delegate

    try:
        # LiteRT prints a traceback if this function is missing.
        ctypes.CDLL(delegate).tflite_plugin_create_delegate  # noqa: B018
        return load_delegate(delegate, options)
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        raise SettopError(f"--delegate={delegate}: cannot be loaded ({_one_line(error)})") from None


def _scaled(span: slice, scale: int) -> slice:
    return slice(scale * span.start, scale * span.stop)


def _levels(output: np.ndarray) -> np.ndarray:
    """Convert what a file computes to uint8."""
    if output.dtype == np.uint8:
        return output
    return np.clip(np.rint(output * np.float32(255)), 0, 255).astype(np.uint8)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
