"""Paths of the files that come with the program: models, priors, tables and runs, and the app.

In a checkout they lie beside the package, at the top level. A wheel carries them inside the package, in the folder
`shipped`, with the same names (`tool.hatch.build.targets.wheel` in pyproject.toml).
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "shipped"

CHECKOUT = None if _SHIPPED.is_dir() else _PACKAGE.parent
"""The folder of the checkout that the program runs from; None where it is installed."""

ASSETS = (CHECKOUT or _SHIPPED) / "assets"
"""The folder with `models`, `priors`, `labels`, `benchmarks` and `runs`."""

APP = (CHECKOUT or _SHIPPED) / "app.py"
"""The file that Streamlit runs; its pages and its settings lie beside it."""
