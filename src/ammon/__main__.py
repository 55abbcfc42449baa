"""``python -m ammon``: the same as the ``ammon`` command."""

from ammon.cli import main

main()
