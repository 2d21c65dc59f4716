"""Makes modules of Azure importable where the user's environment does not provide them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_PACKAGES = Path(__file__).resolve().parent.parent / "packages"


class _ShimFinder(MetaPathFinder):
    """Finds modules below server/python/packages, last of all finders.

    A module that the environment provides wins by itself. Ours fill its gaps, also inside of an
    installed package `azureml`, whose path does not have them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tops = frozenset(each.name for each in folder.iterdir() if each.is_dir())

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The spec of one of our modules; None for any other name."""
        top, *parents = fullname.split(".")[:-1] or [fullname]
        if top not in self._tops:
            return None
        inside = fullname.count(".") > 0
        folder = self._folder.joinpath(top, *parents) if inside else self._folder
        return PathFinder.find_spec(fullname, [str(folder)], target)


def install() -> None:
    """Appends the finder to sys.meta_path."""
    if not any(isinstance(each, _ShimFinder) for each in sys.meta_path):
        sys.meta_path.append(_ShimFinder(_PACKAGES))
