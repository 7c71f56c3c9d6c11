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
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "numpydoc",
    "flags_table",
    "mathml",
    "notebooks",
    "statistics_table",
]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# Notebooks are kept without outputs: they are run at each build, in a folder that is thrown away.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_show_tb = True  # of a cell that fails, beside the warning
nb_execution_timeout = 300
nb_output_stderr = "remove"  # progress bars, the font cache

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections say it in words
numpydoc_show_class_members = False

html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["craterkit.css"]
html_title = f"craterkit {release}"
html_theme_options = {"navigation_with_keys": True}
