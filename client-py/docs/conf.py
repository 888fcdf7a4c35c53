"""Sphinx: `python -m sphinx -W --keep-going -b html client-py/docs target/python-docs`, with petasus installed."""

from typing import Any

from sphinx.application import Sphinx

project = "petasus"
author = "the contributors of Petasus"
copyright = author
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "petasus for Python"
# Docstrings are read by people in a terminal: one backtick is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# `Client` in a signature is that of the module; Sphinx knows both, and can not tell which is meant.
suppress_warnings = ["ref.python"]

COLON = "\ufdd0"
"""Stands for a colon, and for nothing else."""


def setup(app: Sphinx) -> None:
    """Sphinx calls it."""
    # Napoleon takes what is before a colon in the docstring of an attribute for its type. There are sentences in ours.
    app.connect("autodoc-process-docstring", hide_colons, priority=400)
    app.connect("autodoc-process-docstring", show_colons, priority=600)


def hide_colons(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Before napoleon."""
    hidden = what in ("attribute", "data", "property")
    for number, line in enumerate(lines):
        if hidden:
            lines[number] = line.replace(":", COLON)
        if what in ("method", "function"):
            # The same is true of what a method returns.
            hidden = line.strip() == "Returns:" or (hidden and bool(line.strip()))


def show_colons(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """After napoleon."""
    lines[:] = [line.replace(COLON, ":") for line in lines]
