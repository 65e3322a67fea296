"""The formats of video files that are read, by FFmpeg's names of their demuxers.

FFmpeg knows hundreds of formats. Among them are playlists and scripts (HLS, DASH, concat, SDP),
which make it open other files and addresses, and devices. So it gets the list of those that are
read, in which none opens anything but the file itself. An ending tells nothing: a file is of the
format that its contents say.
"""

DEMUXERS = (
    *(
        "mov,mp4,m4a,3gp,3g2,mj2",
        "matroska,webm",
        "avi",
        "mpegts",
        "mpeg",
        "asf",
        "flv",
        "live_flv",
    ),
    *("ogg", "mxf", "gif", "apng", "yuv4mpegpipe", "rm", "nut", "wtv", "gxf", "dv", "ivf", "obu"),
    # Without a container
    *("h264", "hevc", "vvc", "av1", "mpegvideo", "m4v", "vc1", "vc1test", "h261", "h263", "mjpeg"),
    *("mjpeg_2000", "dirac", "cavsvideo", "dnxhd", "webp", "jpegxl_anim"),
)
NAMES = "MP4, MOV, MKV, WebM, AVI, TS, MPEG, WMV, FLV, Ogg, MXF, GIF, APNG and some more"
# What FFmpeg is given when it opens a file to read it
OPTIONS = {"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "file"}
