"""Metrics of images, computed on arrays: difference, fidelity, artifacts, and VIQET's quality."""
