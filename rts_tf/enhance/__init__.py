"""Enhance image and video files with a trained network."""
