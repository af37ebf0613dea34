"""Flower in a real browser, and its API: tasks, login, metrics."""

import base64
import json
import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, expect

from poolrace.workers.chunks import Chunk
from tests.cluster.browser import chromium
from tests.cluster.conftest import Deployment, wait_until

PATIENCE_MS = 30_000

SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""Directory for the screenshot in the documentation; ``make screenshots`` sets it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium that is installed on this machine."""
    with chromium() as running:
        yield running


def test_the_page_of_tasks_shows_each_chunk_of_a_job(
    deployment: Deployment, browser: Browser, tmp_path: Path
) -> None:
    name, _, password = deployment.env()["FLOWER_BASIC_AUTH"].partition(":")
    context = browser.new_context(
        base_url=_address(deployment),
        http_credentials={"username": name, "password": password},
        viewport={"width": 1440, "height": 800},
    )
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_text("prefork@").first).to_be_visible(timeout=PATIENCE_MS)

    _wait_for_events(deployment)
    run = deployment.producer(
        "run", "sum", "--stop", "1e8", "--pool", "prefork", "--chunks", "8", "--json"
    ).json()
    assert run["exact"]

    page.goto("/tasks")
    expect(page.get_by_text("poolrace.sum").first).to_be_visible(timeout=PATIENCE_MS)
    succeeded = page.locator("#tasks-table tbody tr", has_text="SUCCESS")
    for record in run["records"]:
        chunk = Chunk(record["start"], record["stop"])
        row = succeeded.filter(has_text=str(chunk)).filter(has_text=f"{run['job']}.")
        expect(row).to_have_count(1, timeout=PATIENCE_MS)
        expect(row).to_contain_text("poolrace.sum")
        expect(row).to_contain_text(record["host"])
    picture = Path(SCREENSHOTS or tmp_path) / "flower.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000

    first = run["records"][0]
    task_id = f"{run['job']}.{first['start']}-{first['stop']}"
    page.locator("#tasks-table").get_by_role("link", name=task_id, exact=True).click()
    expect(page).to_have_url(re.compile("/task/"))
    shown = page.get_by_text(task_id).filter(visible=True)  # it is there hidden, too
    expect(shown.first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("SUCCESS").first).to_be_visible(timeout=PATIENCE_MS)
    context.close()


def test_a_wrong_login_is_refused(deployment: Deployment, browser: Browser) -> None:
    context = browser.new_context(
        base_url=_address(deployment),
        http_credentials={"username": "poolrace", "password": "wrong"},
    )
    answer = context.new_page().goto("/tasks")
    assert answer
    assert answer.status == HTTPStatus.UNAUTHORIZED
    context.close()


def test_the_api_requires_the_login(deployment: Deployment) -> None:
    login = deployment.env()["FLOWER_BASIC_AUTH"]
    assert "prefork@" in _get(deployment, "/api/workers?refresh=1", login)
    with pytest.raises(HTTPError) as refused:
        _get(deployment, "/api/workers", None)
    assert refused.value.code == HTTPStatus.UNAUTHORIZED


def test_the_metrics_count_tasks(deployment: Deployment) -> None:
    _wait_for_events(deployment)
    deployment.producer("run", "sum", "--stop", "1e5", "--pool", "threads")
    counter = r'flower_events_total\{.*task="poolrace.sum".*type="task-succeeded".*\} [1-9]'
    wait_until(lambda: re.search(counter, _get(deployment, "/metrics", None)), 30)
    assert "flower_worker_online" in _get(deployment, "/metrics", None)


def test_only_its_own_settings_reach_flower(deployment: Deployment, tmp_path: Path) -> None:
    names = {line.partition("=")[0] for line in _environment(deployment)}
    assert "FLOWER_BASIC_AUTH" in names
    assert not [name for name in names if name.startswith(("POOLRACE_", "COMPOSE_"))]
    settings = tmp_path / "settings"
    settings.write_text((deployment.directory / ".env").read_text() + "FLOWER_MAX_TASKS=123\n")
    config = deployment.compose("--env-file", str(settings), "config", "--format", "json")
    assert json.loads(config)["services"]["flower"]["environment"]["FLOWER_MAX_TASKS"] == "123"


def test_the_live_view_shows_the_containers(deployment: Deployment) -> None:
    snapshot = deployment.producer("watch", "--once", "--json").json()
    pools = [worker["pool"] for worker in snapshot["workers"]]
    assert set(pools) == {"prefork", "threads", "gevent", "solo"}
    assert {worker["state"] for worker in snapshot["workers"]} == {"present"}


def _environment(deployment: Deployment) -> list[str]:
    return deployment.compose("exec", "-T", "flower", "env").splitlines()


def _wait_for_events(deployment: Deployment) -> None:
    """Wait until Flower has found all workers and has switched on their events."""
    online = r'flower_worker_online\{worker="(\w+)@[\w-]+"\} 1'
    pools = {"prefork", "threads", "gevent", "solo"}
    wait_until(lambda: set(re.findall(online, _get(deployment, "/metrics", None))) == pools, 60)


def _address(deployment: Deployment) -> str:
    return f"http://127.0.0.1:{deployment.env()['POOLRACE_FLOWER_PORT']}"


def _get(deployment: Deployment, path: str, login: str | None) -> str:
    headers = {}
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    request = Request(_address(deployment) + path, headers=headers)
    with urlopen(request, timeout=20) as response:
        text: str = response.read().decode()
        return text
