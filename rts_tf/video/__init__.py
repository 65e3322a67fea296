"""Reads and writes video through FFmpeg. All modules but suffixes need the extra 'video'."""
