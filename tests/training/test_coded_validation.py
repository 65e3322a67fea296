"""What a stage does to compressed crops: a network that smooths, and one that sharpens."""

import numpy as np
from PIL import Image

from rts_tf import networks
from rts_tf.data.datasets import folder
from rts_tf.data.degradation import Degradation
from rts_tf.data.source_shards import build_source
from rts_tf.inference import Enhancer
from rts_tf.training.coded_validation import measure_coded


def network_that_adds(share: float) -> Enhancer:
    """Interpolation plus ``share`` of what a 3x3 mean misses: negative to smooth."""
    network = networks.build("residual1")
    first, residual = (network.get_layer(n) for n in ("input_conv", "image_residual"))
    kernel, bias = (np.zeros(w.shape, np.float32) for w in first.get_weights())
    last, last_bias = (np.zeros(w.shape, np.float32) for w in residual.get_weights())
    for c in range(3):
        kernel[:, :, c, c] = -share / 9
        kernel[1, 1, c, c] += share
        kernel[..., 3 + c] = -kernel[..., c]
        last[1, 1, c, c], last[1, 1, 3 + c, c] = 1, -1
    first.set_weights([kernel, bias])
    inner = network.get_layer("residual_conv_1")
    inner.set_weights([np.zeros_like(w) for w in inner.get_weights()])
    residual.set_weights([last, last_bias])
    return Enhancer(network)


def source_of(images, tmp_path):
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    degradation = Degradation("reduce", "box", 1, 1, 0)
    return build_source(tmp_path / "source", folder(tmp_path), degradation, 16, 2)


def test_sharpening_harms_and_smoothing_lowers_block_edges(photograph, tmp_path):
    source = source_of([photograph[:120, :160], photograph[100:220, 50:250]], tmp_path)
    smooth, same, sharp = (
        measure_coded(network_that_adds(share), source) for share in (-0.3, 0.0, 0.8)
    )
    # Interpolation alone is a little soft, so d() of it smooths what JPEG left behind.
    assert 0 < same["coded_psnr_gain_db"] < 0.5 and 0.5 < same["coded_grid_step_gain"] < 1
    assert sharp["coded_psnr_gain_db"] < -0.2 and sharp["coded_grid_step_gain"] > 1.1
    assert smooth["coded_grid_step_gain"] < same["coded_grid_step_gain"] - 0.05


def test_one_colour_changes_nothing_and_tiny_images_are_left_out(tmp_path):
    grey = np.full((40, 40, 3), 128, np.uint8)
    enhancer, folders = network_that_adds(0.8), [tmp_path / name for name in ("grey", "small")]
    for path in folders:
        path.mkdir()
    found = measure_coded(enhancer, source_of([grey], folders[0]))
    assert found == {"coded_psnr_gain_db": 0.0, "coded_grid_step_gain": 1.0}
    assert measure_coded(enhancer, source_of([grey[:20, :20]], folders[1])) == {}
