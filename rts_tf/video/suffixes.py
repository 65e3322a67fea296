"""The suffixes of video files that are read, and of those that are written. Needs no FFmpeg."""

VIDEO_SUFFIXES = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".m2ts",
    ".mts",
    ".mpg",
    ".mpeg",
    ".vob",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
    ".mxf",
)
OUTPUT_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts")  # containers that hold any times
