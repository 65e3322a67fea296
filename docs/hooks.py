"""Hooks of MkDocs: pages that live outside docs/, and links that work on GitHub and on the site.

README.md is the home page, and a few Markdown files elsewhere in the repository are pages under
their own paths. In every page a link is relative to the file in the repository, as GitHub resolves
it. The hooks rewrite it to the place on the site. A link to a repository file that is no page
becomes text.
"""

import pathlib
import posixpath
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = pathlib.Path(__file__).parents[1]
PAGES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "WORKSPACE_NOTES.md",
    "experiments/results/*.md",
    "experiments/results/*.png",
    "export/player/README.md",
    "export/serving/README.md",
    "export/settop/NPU.md",
)
LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)"
)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that live outside docs/."""
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            uri = _on_site(path.relative_to(ROOT).as_posix())
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page from paths in the repository to paths on the site."""
    uri = page.file.src_uri
    source = _in_repository(uri)

    def rewritten(link: re.Match) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link["target"]))
        on_site = _on_site(target)
        if files.get_file_from_path(on_site):
            path = posixpath.relpath(on_site, posixpath.dirname(uri) or ".")
            return f"{link['image']}[{link['text']}]({path}{link['anchor'] or ''})"
        if (ROOT / target).is_file():
            return link["text"]
        return link[0]  # MkDocs warns about it

    return LINK.sub(rewritten, markdown)


def _on_site(path: str) -> str:
    """The place on the site of a file in the repository."""
    return "index.md" if path == "README.md" else path.removeprefix("docs/")


def _in_repository(uri: str) -> str:
    """The path in the repository of the file at a place on the site."""
    if uri == "index.md":
        return "README.md"
    return f"docs/{uri}" if (ROOT / "docs" / uri).is_file() else uri
