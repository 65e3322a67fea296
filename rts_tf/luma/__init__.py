"""Runs networks for luma on arrays of any size: the engines, the border and the conversion of RGB.

:class:`rts_tf.luma.enhancer.LumaEnhancer` is what :func:`rts_tf.load` returns for such a network.
"""
