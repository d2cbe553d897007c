"""Puts the built panel into the wheel: JupyterLab's extension, and the bundle of Kore's page.

Both are made by ``kore/ui/scripts/build.sh`` and are in no commit. A wheel without them would
be a Kore without a face, so it is refused, unless ``ANANKE_PANEL=0`` says that it is meant: an
image that has JupyterHub alone needs none.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAB, PAGE = "kore/ui/dist/lab", "kore/service/static/panel"


class PanelHook(BuildHookInterface[Any]):
    """Adds what was built to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the panel; an editable install is served from the tree instead."""
        if version != "standard" or os.environ.get("ANANKE_PANEL") == "0":
            return
        root = Path(self.root)
        if not ((root / LAB / "package.json").is_file() and (root / PAGE / "panel.js").is_file()):
            message = f"The panel is not built: {LAB} or {PAGE} is missing. Run `make setup`."
            raise FileNotFoundError(message)
        build_data["shared_data"][LAB] = "share/jupyter/labextensions/kore-panel"
        build_data["force_include"][PAGE] = PAGE
