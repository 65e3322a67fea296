"""``rts enhance --preview``: a page of crops before a long job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from rts_tf.cli.enhance_flags import FLAGS
from rts_tf.cli.enhance_work import print_lines
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import print_table
from rts_tf.errors import ConfigError, printable

if TYPE_CHECKING:
    from rts_tf.enhance.jobs import Plan


def write_preview_page(everything: Plan) -> int:
    """Write the page of --preview, and nothing else."""
    from rts_tf.report.preview_page import check_replaceable, write_preview

    check_replaceable(FLAGS.preview)
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.progress import RunProgress
    from rts_tf.enhance import preview
    from rts_tf.enhance.preview_table import preview_table

    wish = preview.Wish(FLAGS.model, int(FLAGS.scale), FLAGS.strength, FLAGS.chroma)
    jobs = [*everything.jobs, *everything.done]
    if not (crops := preview.crops_of(jobs, wish)):
        raise ConfigError("`preview`: none of the inputs can be read; without it, each says why.")
    networks = len(preview.models_for(wish))
    progress = RunProgress({preview.PREVIEW: networks}, Console(stderr=True, highlight=False))
    megapixels = preview.megapixels_of(jobs)
    with progress.running():
        sections = preview.sections_of(crops, wish, megapixels, progress)
    write_preview(FLAGS.preview, sections, preview.summary_of(jobs, wish, megapixels))
    print_table(f"{preview_table(sections, megapixels)}\n")
    print(f"preview: {printable(FLAGS.preview)}")
    return print_lines([], everything.errors)
