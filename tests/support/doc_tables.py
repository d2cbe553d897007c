"""Reading the documentation's pages in tests."""

from __future__ import annotations


def table(text: str, first: str) -> dict[str, str]:
    """Return the rows of the tables whose first heading begins so: first cell, second cell."""
    found, inside = {}, False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0].startswith(first):
            inside = True
        elif inside and not cells[0].startswith("---"):
            found[cells[0].strip("`")] = cells[1].strip("`") if len(cells) > 1 else ""
    return found
