"""The web page of ``producer watch`` in a browser, beside a local cluster that computes."""

import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, HttpCredentials, Page, expect

from poolrace.producer.cluster.ports import free_port
from poolrace.producer.cluster.state import Cluster
from poolrace.producer.executors.models import Model
from poolrace.producer.settings import Settings
from poolrace.workers.workloads import make_workload
from tests.cluster.browser import chromium
from tests.conftest import PATIENCE_S, run_once, wait_until

LOGIN = HttpCredentials(username="poolrace", password="made-up")
WRONG = HttpCredentials(username="poolrace", password="wrong")
PATIENCE_MS = 1000 * PATIENCE_S

BUSY_PIXELS = """() => [...document.querySelectorAll("#slots canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
}).reduce((sum, each) => sum + each, 0)"""
"""Number of painted pixels of the timeline."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def address(cluster: Cluster) -> Iterator[str]:
    """The address of a running ``producer watch --web``, which ends with the test."""
    port = free_port()
    command = [sys.executable, "-m", "poolrace", "watch", "--web", str(port), "--interval-s", "0.2"]
    watch = subprocess.Popen(
        command,
        env={
            "CELERY_BROKER_URL": cluster.broker_url,
            "FLOWER_BASIC_AUTH": f"{LOGIN['username']}:{LOGIN['password']}",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watch.stderr
    assert f"http://127.0.0.1:{port}" in watch.stderr.readline()
    yield f"http://127.0.0.1:{port}"
    watch.terminate()
    watch.communicate(timeout=PATIENCE_S)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page; the test fails on an error in the console."""
    context = browser.new_context(http_credentials=LOGIN, base_url=address)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto("/")
    expect(opened.locator("#workers tr")).to_have_count(4, timeout=PATIENCE_MS)
    yield opened
    context.close()
    assert problems == []


def test_the_page_lives_while_a_job_runs(page: Page, with_cluster: Settings) -> None:
    before = page.evaluate(BUSY_PIXELS)
    work = make_workload("mixed", {"wait_s": 0.5})
    run = run_once(work, 0, 12, Model("celery", "threads"), with_cluster)
    expect(page.locator("#jobs")).to_contain_text(f"{run.job} mixed on threads: finished, 100.0 %")
    expect(page.locator("#events")).to_contain_text(f"job {run.job} is finished")
    slots = "|".join(re.escape(f"threads@{record.host} {record.slot}") for record in run.records)
    expect(page.locator("#slots span", has_text=re.compile(slots)).first).to_be_visible()
    wait_until(lambda: page.evaluate(BUSY_PIXELS) > before)
    head = page.locator("#head").inner_text()
    assert "chunks/s" in head
    assert "Redis" in head


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
def test_the_page_fits_the_window_and_has_no_violation_of_axe(
    page: Page, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(page.locator("#slots canvas").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page).response["violations"] == []


def test_the_page_asks_for_the_login(browser: Browser, address: str) -> None:
    without = browser.new_context(base_url=address)
    assert without.request.get("/").status == HTTPStatus.UNAUTHORIZED
    without.close()
    context = browser.new_context(http_credentials=WRONG, base_url=address)
    answer = context.new_page().goto("/")
    assert answer
    assert answer.status == HTTPStatus.UNAUTHORIZED
    context.close()
