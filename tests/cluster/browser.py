"""A headless Chromium for tests that look at pages as a person does."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is installed on this machine; fails if there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, f"none of {', '.join(PROGRAMS)} is installed; on Debian: apt install chromium"
    with sync_playwright() as playwright:
        # Its own sandbox needs user namespaces, which root and many CI machines do not have.
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-quic"]
        )
        yield browser
        browser.close()
