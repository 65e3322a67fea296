"""What a target needs besides the exported network: a runner for devices, TensorFlow Serving.

It runs from a checkout, like ``experiments``, and is no part of the installation.
"""
