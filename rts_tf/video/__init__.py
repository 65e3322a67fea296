"""Reads and writes video: through FFmpeg, and YUV4MPEG2 without it.

All modules but presets, suffixes and y4m need the extra 'video'.
"""
