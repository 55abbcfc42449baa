"""What holds for every test: no network but this machine's own, no library or setting of whoever runs the tests."""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

KEPT_VARIABLES = {"AMMON_DATA", "AMMON_CACHE", "AMMON_HOSTILE"}
"""Where larger test data lies, and where models are built once."""

FIGURES = "figures"

settings.register_profile("ammon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("ammon"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ammon"))


class NetworkForbidden(AssertionError):
    """A test tried to reach another machine."""


def _refuse(address: Any) -> None:
    """Raise unless the address is on this machine. A path is a Unix socket, which is."""
    if not isinstance(address, tuple):
        return
    host = str(address[0]).partition("%")[0]
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host in ("localhost", "")
    if not here:
        raise NetworkForbidden(f"This test tried to reach {host}.")


def _guarded(name: str, place: int) -> None:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, *given: Any) -> Any:
        _refuse(given[place])
        return original(self, *given)

    setattr(socket.socket, name, guarded)


def _guarded_lookup() -> None:
    original = socket.getaddrinfo

    def lookup(host: Any, *given: Any, **named: Any) -> Any:
        if host is not None:
            _refuse((host.decode() if isinstance(host, bytes) else host,))
        return original(host, *given, **named)

    socket.getaddrinfo = lookup


def pytest_configure() -> None:
    """Shut the network before any test module is imported, and for the programs that tests start."""
    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        _guarded(name, place)
    _guarded_lookup()
    for variable in [each for each in os.environ if each.startswith("AMMON_") and each not in KEPT_VARIABLES]:
        del os.environ[variable]
    for scheme in ("http", "https", "all"):
        # A port where nothing listens: programs that honour proxies cannot get out either.
        os.environ[f"{scheme}_proxy"] = os.environ[f"{scheme.upper()}_PROXY"] = "http://127.0.0.1:9"
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost,::1"
    os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="ammon-tests-")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one process would be at it when the others have ended."""
    items.sort(key=lambda item: "faults" not in item.path.parts)


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says a line of figures at the end of the run, from whichever process the test ran in."""
    return partial(record_property, FIGURES)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, line in report.user_properties:
                if name == FIGURES:
                    terminalreporter.write_line(str(line))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample folder, to be indexed and changed."""
    import shutil

    return Path(shutil.copytree(Path(__file__).parents[1] / "examples" / "sample", tmp_path / "sample"))
