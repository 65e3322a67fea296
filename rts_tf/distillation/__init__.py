"""Distils a large network into a small one for luma. ``distillation`` is the file to open first."""
