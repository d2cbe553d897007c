"""``python -m ananke``: same as the command ``ananke``."""

from ananke.cli import main

if __name__ == "__main__":
    main()
