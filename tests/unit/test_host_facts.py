"""The interpreter of each host: in announcements, in reports, and in the difference of results."""

import sys
import sysconfig
from dataclasses import asdict, replace

import celery
import pytest

from poolrace.producer.analysis.diff_environment import unlike_machines, unlike_versions
from poolrace.producer.reports.views import environment as view
from poolrace.producer.results.environment import Environment
from poolrace.workers import interpreter_facts
from poolrace.workers.host_facts import HostFacts
from poolrace.workers.runtime.presence import Presence

STANDARD = replace(
    HostFacts.collect("a"), python="CPython 3.14.0", gil=True, free_threaded=False, jit=False,
    build_flags="--with-lto",
)  # fmt: skip
FREE = replace(
    STANDARD, host="b", python="CPython 3.13.5", gil=False, free_threaded=True,
    build_flags="--disable-gil",
)  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (STANDARD, "CPython 3.14.0, GIL on"),
        (replace(STANDARD, jit=True), "CPython 3.14.0, GIL on, JIT on"),
        (FREE, "CPython 3.13.5 free-threaded, GIL off"),
        (replace(FREE, gil=True), "CPython 3.13.5 free-threaded, GIL on"),
    ],
)
def test_an_interpreter_has_a_text(facts: HostFacts, text: str) -> None:
    assert facts.interpreter == text


def test_a_report_says_which_host_ran_which_interpreter_and_how_it_was_built() -> None:
    lines = view.lines(Environment([STANDARD, replace(STANDARD, host="c"), FREE], {}))
    assert lines[0].startswith("a, c: ")
    assert lines[0].endswith("CPython 3.14.0, GIL on")
    assert lines[1].startswith("b: ")
    assert lines[1].endswith("CPython 3.13.5 free-threaded, GIL off")
    assert "CPython 3.14.0, GIL on was built with --with-lto" in lines
    assert "CPython 3.13.5 free-threaded, GIL off was built with --disable-gil" in lines


def test_builds_of_one_interpreter_are_not_repeated() -> None:
    assert not [line for line in view.lines(Environment([STANDARD], {})) if "built with" in line]


def test_a_report_names_the_hosts_with_other_versions_than_the_producer() -> None:
    versions = {"poolrace": "1.0", "celery": "5.7.0", "redis": "8.1.0"}
    same = replace(STANDARD, versions={"celery": "5.7.0", "redis": "8.1.0", "gevent": "26.9"})
    other = replace(FREE, versions={"celery": "5.7.1", "redis": "8.1.0"})
    lines = view.lines(Environment([same, other, replace(other, host="c")], versions))
    assert lines[-2:] == ["poolrace 1.0, celery 5.7.0, redis 8.1.0", "b, c: celery 5.7.1"]
    assert view.lines(Environment([same], versions))[-1].startswith("poolrace 1.0")


def test_results_whose_workers_have_another_version_of_celery_differ() -> None:
    """The producers of both have the same one."""
    old, new = (
        Environment([replace(FREE, versions={"celery": version})], {"celery": "5.7.0"})
        for version in ("5.7.0", "5.7.1")
    )
    assert unlike_versions(old, new) == {"celery": ("5.7.0", "5.7.0, 5.7.1")}


def test_a_worker_announces_the_versions_of_its_own_packages() -> None:
    assert HostFacts.collect("a").versions["celery"] == celery.__version__


def test_results_of_another_build_differ() -> None:
    other = replace(STANDARD, jit=True, build_flags="--enable-experimental-jit")
    unlike = unlike_machines(Environment([STANDARD], {}), Environment([other], {}))
    assert unlike == {
        "JIT": ("off", "on"),
        "build flags": ("--with-lto", "--enable-experimental-jit"),
    }


def test_results_of_an_older_version_without_facts_of_the_build_do_not_differ() -> None:
    older = replace(STANDARD, jit=None, build_flags="")
    assert unlike_machines(Environment([older], {}), Environment([STANDARD], {})) == {}


def test_a_worker_of_an_older_version_announces_no_facts_of_its_build() -> None:
    presence = Presence("solo@a", "solo", 1, 1, "2026-01-01", STANDARD).to_json()
    for name in ("free_threaded", "jit", "build_flags", "versions"):
        del presence["host"][name]
    host = Presence.from_json(presence).host
    assert (host.free_threaded, host.jit, host.build_flags) == (False, None, "")


@pytest.mark.parametrize("slots", [-1, 1_000_001])
def test_a_presence_with_an_impossible_number_of_slots_is_refused(slots: int) -> None:
    presence = Presence("solo@a", "solo", slots, 1, "2026-01-01", STANDARD)
    with pytest.raises(ValueError, match=f"{slots} slots"):
        Presence.from_json(asdict(presence))


@pytest.mark.parametrize(
    ("arguments", "flags"),
    [
        ("'--disable-gil' '--prefix=/usr' 'CC=gcc'", "--disable-gil"),
        ("'--with-lto=full' '--with-system=/x' '--enable-gil'", "--with-lto=full --enable-gil"),
        ("'--enable-ipv6' '--enable-optimizations'", "--enable-optimizations"),
        (None, ""),
    ],
)
def test_the_flags_of_a_build_are_those_of_speed_and_have_no_paths(
    arguments: str | None, flags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: arguments)
    monkeypatch.delattr(sys, "gettotalrefcount", raising=False)
    assert interpreter_facts.build_flags() == flags


def test_a_jit_compiler_that_does_not_tell_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys, "_jit", raising=False)
    monkeypatch.setattr(interpreter_facts, "build_flags", lambda: "--enable-experimental-jit")
    monkeypatch.setattr(sys, "version_info", (3, 13))
    assert interpreter_facts.jit_enabled() is None
    monkeypatch.setattr(sys, "version_info", (3, 12))
    assert interpreter_facts.jit_enabled() is False
