"""The command line. The only place that prints; every verb is a few lines over the library's own methods."""

from __future__ import annotations


def main() -> None:
    """Run ``ammon`` with the process's arguments and leave with its exit code."""
    import sys

    from typer.main import get_command

    from ammon.cli.app import app
    from ammon.cli.outcome import report_mistake

    sys.excepthook = report_mistake
    get_command(app).main(prog_name="ammon")
