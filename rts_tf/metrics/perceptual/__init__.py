"""Perceptual quality by published instruments that sharpness alone cannot buy.

Each function takes uint8 RGB arrays. The instruments come out of the packages of the extra
``quality``, which are imported when a function is called and not before.

- :func:`rts_tf.metrics.perceptual.vmaf.vmaf`: VMAF and VMAF-NEG, with a reference
- :func:`rts_tf.metrics.perceptual.lpips.lpips`: LPIPS, with a reference
- :func:`rts_tf.metrics.perceptual.naturalness.niqe`: NIQE, without one
- :func:`rts_tf.metrics.perceptual.naturalness.brisque`: BRISQUE, without one
"""
