"""Where the files of a registered model are: the layout of AZUREML_MODEL_DIR.

One model: `<AZUREML_MODEL_DIR>` is `.../<name>/<version>`, with the file or folder that was
registered in it. Several models: `<AZUREML_MODEL_DIR>/<name>/<version>/...`.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

_VARIABLE = "AZUREML_MODEL_DIR"
_LOCAL = "azureml-models"
_MOST_SHOWN = 20


class Model:
    """A model by its registered name. A server has no workspace: only `get_model_path` works."""

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        raise NotImplementedError(
            "This server has no workspace, and of azureml.core.Model only get_model_path(): "
            "add azureml-core to requirements.txt for the rest."
        )

    @staticmethod
    def get_model_path(
        model_name: str, version: int | str | None = None, _workspace: object = None
    ) -> str:
        """Path of the model's file or folder; without a version, of the latest.

        Looks into AZUREML_MODEL_DIR, then into `azureml-models` and the working directory, where
        a file or folder of that name has no version.
        Raises FileNotFoundError that names what is there.
        """
        if not isinstance(model_name, str) or not model_name:
            raise ValueError(f"get_model_path(): expected the name of a model, got {model_name!r}")
        folder = os.environ.get(_VARIABLE, "")
        wanted = None if version is None else str(version)
        if folder:
            found = _in_model_dir(Path(folder), model_name, wanted)
            if found is not None:
                return str(found)
        local = _in_several(Path(_LOCAL), model_name, wanted)
        if local is None and Path(model_name).exists():
            local = Path(model_name)
        return str(local) if local is not None else _refuse(folder, model_name, wanted)


def _in_model_dir(folder: Path, name: str, version: str | None) -> Path | None:
    found = _in_several(folder, name, version)
    if found is not None:
        return found
    own_name = folder.parent.name if folder.name.isdigit() else None
    if own_name is not None:
        fits = own_name == name and version in (None, folder.name)
        return _registered(folder) if fits else None
    # A folder that somebody has mounted: names and versions of a registry are unknown there.
    is_model = version is None and any(each.is_file() for each in _entries(folder))
    return _registered(folder) if is_model else None


def _in_several(folder: Path, name: str, version: str | None) -> Path | None:
    """The model below a folder of models."""
    model = folder / name
    if not model.is_dir():
        return model if model.is_file() and version is None else None
    versions = {each.name: each for each in _entries(model) if _is_version(each)}
    if not versions:
        return model if version is None else None
    chosen = version if version is not None else max(versions, key=int)
    return _registered(versions[chosen]) if chosen in versions else None


def _registered(folder: Path) -> Path:
    """The one file or folder that was registered; the folder itself if it has several."""
    entries = _entries(folder)
    return entries[0] if len(entries) == 1 else folder


def _is_version(path: Path) -> bool:
    return path.name.isdecimal() and path.is_dir()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError:
        return []


def _refuse(folder: str, name: str, version: str | None) -> NoReturn:
    wanted = name if version is None else f"{name} of version {version}"
    where = f"{_VARIABLE} ({folder})" if folder else f"{_LOCAL}, and {_VARIABLE} is not set"
    shown = ", ".join(_tree(Path(folder or _LOCAL))) or "nothing"
    raise FileNotFoundError(
        f"There is no model {wanted} in {where}. Expected <name>/<version>/<file>; found: {shown}."
    )


def _tree(folder: Path) -> list[str]:
    """Paths of three levels."""
    paths = (
        inner
        for model in _entries(folder)
        for inner in [model, *(below for version in _entries(model) for below in _two(version))]
    )
    return [str(each.relative_to(folder)) for each in islice(paths, _MOST_SHOWN)]


def _two(version: Path) -> list[Path]:
    return [version, *_entries(version)]
