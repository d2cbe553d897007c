"""How the documentation is rendered. See developers/documentation.md."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent
# The reference pages are made from the code beside this folder.
sys.path[:0] = [str(_HERE / "_ext"), str(_HERE.parents[1])]

import ananke  # noqa: E402

project = "Ananke"
author = "Ananke contributors"
copyright = author  # noqa: A001
version = release = ananke.__version__

extensions = ["from_code", "myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_ext"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings: list[str] = []
nitpicky = True

html_theme = "sphinx_book_theme"
html_title = "Ananke"
html_static_path = ["_static"]
html_css_files = ["ananke.css"]
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    # Nothing of the pages comes from elsewhere: they can be read without a network.
    "icon_links": [],
}
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
