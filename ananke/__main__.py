"""``python -m ananke``: the command line."""

from ananke.cli import main

main()
