"""Settings come from the environment and from .env, and never show a password."""

from pathlib import Path

import pytest

from poolrace.producer.settings import Settings
from poolrace.workers.errors import UsageError
from poolrace.workers.settings import mask

URL = "redis://:s3cret@127.0.0.1:6379/0"


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_celerys_variables_set_broker_and_result_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", URL)
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "rediss://:other@127.0.0.1:1/0")
    settings = Settings.from_env()
    assert settings.broker_url == URL
    assert settings.result_backend == "rediss://:other@127.0.0.1:1/0"


def test_the_option_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://127.0.0.1:1/0")
    settings = Settings.from_env(URL)
    assert settings.broker_url == settings.result_backend == URL


def test_a_dotenv_file_sets_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(f"CELERY_BROKER_URL={URL}\nPOOLRACE_HOST=from-file\n")
    monkeypatch.setenv("POOLRACE_HOST", "from-environment")
    settings = Settings.from_env()
    assert (settings.broker_url, settings.host) == (URL, "from-environment")


def test_a_dotenv_file_that_is_not_text_is_refused() -> None:
    Path(".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"\.env"):
        Settings.from_env()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELERY_BROKER_URL", "amqp://guest@127.0.0.1"),
        ("CELERY_RESULT_BACKEND", "db+sqlite:///x"),
        ("POOLRACE_PATIENCE_S", "0"),
        ("POOLRACE_PATIENCE_S", "soon"),
        ("POOLRACE_SLOTS", "-1"),
        ("POOLRACE_CA_FILE", "no-such-file"),
    ],
)
def test_an_invalid_value_is_refused_with_the_name_of_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        Settings.from_env()


def test_a_worker_reads_its_slots_and_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.crt"
    certificates.touch()
    monkeypatch.setenv("POOLRACE_SLOTS", "3")
    monkeypatch.setenv("POOLRACE_HEARTBEAT_FILE", "beat")
    monkeypatch.setenv("POOLRACE_CA_FILE", str(certificates))
    settings = Settings.from_env()
    assert settings.slots == 3
    assert settings.heartbeat_file == Path("beat")
    assert settings.ca_file == certificates


MADE = """\
POOLRACE_REDIS_PASSWORD=s3cret
POOLRACE_REDIS_PORT=6379
CELERY_BROKER_URL=redis://:${POOLRACE_REDIS_PASSWORD}@127.0.0.1:${POOLRACE_REDIS_PORT}/0
"""
"""The lines of ``.env`` that name the broker, as ``make up`` writes them."""


def test_the_address_that_make_up_wrote_is_known_as_such() -> None:
    Path(".env").write_text(MADE)
    settings = Settings.from_env()
    assert (settings.broker_url, settings.broker_from_make_up) == (URL, True)


@pytest.mark.parametrize(
    ("file", "variable", "option"),
    [
        (f"CELERY_BROKER_URL={URL}", None, None),
        (MADE + "CELERY_BROKER_URL=redis://:other@127.0.0.1:1/0", None, None),
        (MADE, URL, None),
        (MADE, None, URL),
    ],
    ids=["own file", "own line", "variable", "option"],
)
def test_an_address_that_the_user_set_is_not_that_of_make_up(
    file: str, variable: str | None, option: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text(file)
    if variable:
        monkeypatch.setenv("CELERY_BROKER_URL", variable)
    assert not Settings.from_env(option).broker_from_make_up


def test_flowers_variables_are_read_unless_they_are_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FLOWER_URL_PREFIX=flower\nFLOWER_PORT=5600\n")
    monkeypatch.setenv("FLOWER_BASIC_AUTH", "me:s3cret")
    monkeypatch.setenv("FLOWER_MAX_TASKS", "")
    settings = Settings.from_env()
    assert settings.flower_variables == {
        "FLOWER_URL_PREFIX": "flower", "FLOWER_PORT": "5600", "FLOWER_BASIC_AUTH": "me:s3cret",
    }  # fmt: skip
    assert (settings.flower_port, settings.flower_login) == (5600, "me:s3cret")


def test_no_password_is_shown() -> None:
    shown = repr(
        Settings(
            broker_url=URL, result_backend=URL, flower_variables={"FLOWER_BASIC_AUTH": "me:s3cret"}
        )
    )
    assert "s3cret" not in shown
    assert mask(f"cannot reach {URL}, nor redis://user:s3cret@host") == (
        "cannot reach redis://:***@127.0.0.1:6379/0, nor redis://user:***@host"
    )
