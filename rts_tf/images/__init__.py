"""Images as arrays and as files: reading, writing, resampling, filtering and cutting into tiles."""
