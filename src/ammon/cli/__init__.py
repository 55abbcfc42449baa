"""The command line. The only place that prints; every verb is a few lines over the library's own methods."""

from __future__ import annotations


def main() -> None:
    """Run ``ammon`` with the process's arguments and leave with its exit code."""
    from ammon.cli.app import app

    app(prog_name="ammon")
