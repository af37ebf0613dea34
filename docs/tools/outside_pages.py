"""MkDocs hook: adds files from outside ``docs/`` to the site, and rewrites links to them.

A link such as ``../../CHANGELOG.md`` works where the repository is browsed, and this hook makes
it lead to the page of the site. A link to any other file outside ``docs/`` fails the build.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent.parent

PAGES = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "README.md": "index.md",
    "benchmarks/results/peers.png": "images/peers.png",
    "deploy/README.md": "how-to/several-machines.md",
    "examples/README.md": "how-to/example-apps.md",
}
"""Path in the repository -> path in the site."""

_LINK = re.compile(r"(?<=\]\()(?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that ``docs/`` does not have itself."""
    for source, page in PAGES.items():
        if files.get_file_from_path(page) is None:
            files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 # mkdocs' signature
    """Rewrite links from and to files outside ``docs/`` as links within the site."""
    site_path = page.file.src_uri
    outside = {target: source for source, target in PAGES.items() if target != "index.md"}
    source = ROOT / outside.get(site_path, f"docs/{site_path}")

    def rewritten(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / link["target"]))
        if not target.is_relative_to(ROOT):
            return link[0]
        name = target.relative_to(ROOT).as_posix()
        site_page = PAGES.get(name, name.removeprefix("docs/"))
        relative = os.path.relpath(site_page, Path(site_path).parent)
        return relative + (link["anchor"] or "")

    return _LINK.sub(rewritten, markdown)
