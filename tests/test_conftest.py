"""The guards that `conftest` puts up do stand."""

from __future__ import annotations

import os
import socket

import pytest


@pytest.mark.parametrize("host", ["93.184.216.34", "example.org", "2606:2800:220:1::1"])
def test_no_test_reaches_another_machine(host: str) -> None:
    with pytest.raises(AssertionError, match="tried to reach"):
        socket.create_connection((host, 80), timeout=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packet, pytest.raises(AssertionError, match="tried to"):
        packet.sendto(b"x", (host, 53))


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_no_setting_of_the_user_leaks_into_tests() -> None:
    assert not [name for name in os.environ if name.startswith("AMMON_") and name not in ("AMMON_DATA", "AMMON_CACHE")]
