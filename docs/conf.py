"""Settings of Sphinx."""

import sys
from pathlib import Path

import craterkit

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "craterkit"
author = "The craterkit developers"
copyright = author
version = release = craterkit.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "flags_table",
    "statistics_table",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say it in words
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"craterkit {release}"
html_theme_options = {"navigation_with_keys": True}
