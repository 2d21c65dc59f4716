"""What an author can do about a name, a module or a library that Python does not find."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from .raised import text_of

# Packages that pip knows by another name than Python.
_PIP_NAMES = {
    "Crypto": "pycryptodome",
    "PIL": "pillow",
    "azureml.ai": "azureml-ai-monitoring",
    "azureml.core": "azureml-core",
    "azureml_inference_server_http": "azureml-inference-server-http",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "google.protobuf": "protobuf",
    "inference_schema": "inference-schema[numpy-support,pandas-support]",
    "jwt": "pyjwt",
    "multipart": "python-multipart",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_LIBRARIES = {
    "libGL.so.1": "Install opencv-python-headless in place of opencv-python.",
    "libgthread-2.0.so.0": "Install opencv-python-headless in place of opencv-python.",
    "libgomp.so.1": "Install the library in the image: apt-get install --yes libgomp1.",
}
# Of pickle: a class or function of a notebook, or of the script that has trained the model.
_OF_MAIN = re.compile(r"Can't get attribute '(\w+)' on <module '__main__'")
_MOST_ENTRIES = 200
_MOST_CAUSES = 20
_WITHOUT_PACKAGE = (
    "The script is imported as a module without a package: write `import helper` or "
    "`from helper import name` in place of `from . import helper`."
)


def import_advice(raised: BaseException, folders: Iterable[str] = ()) -> str | None:
    """The next step after a failed import or unpickling; None: Python's message has to do.

    `folders`: those of the author, in which a module may be at another place.
    """
    for each in islice(_causes(raised), _MOST_CAUSES):
        if isinstance(each, ModuleNotFoundError) and each.name:
            return _on_missing(each.name, folders)
        if isinstance(each, AttributeError) and (found := _OF_MAIN.search(text_of(each))):
            return _on_name_of_main(found[1])
        if isinstance(each, ImportError):
            if "attempted relative import" in text_of(each):
                return _WITHOUT_PACKAGE
            for library, advice in _LIBRARIES.items():
                if library in text_of(each):
                    return f"The system lacks the library {library}. {advice}"
    return None


def _on_name_of_main(name: str) -> str:
    return (
        f"The pickle names {name} of __main__, the program that has written it. Define {name} in a "
        "module beside the script, which the program that writes the pickle imports, too. "
        f"For a pickle that exists, define or import {name} in the script, and write "
        f"`import __main__; __main__.{name} = {name}` before it is read."
    )


def _causes(raised: BaseException | None) -> Iterator[BaseException]:
    while raised is not None:
        yield raised
        raised = raised.__cause__


def _on_missing(name: str, folders: Iterable[str]) -> str:
    top = name.partition(".")[0]
    if top != name and top != "azureml" and _is_installed(top):
        return f"The package {top} is installed and has no module {name}: is it another version?"
    beside = next(_places(top, folders), None)
    if beside is not None:
        return (
            f"The module {name} is in {beside}, where Python does not look: "
            "set AZUREML_SOURCE_DIRECTORY to that folder, or import it through its folder."
        )
    package = _pip_name(name)
    quoted = f"'{package}'" if "[" in package else package
    version = sys.version.split()[0]
    return (
        f"The module {name} is not installed for {sys.executable} (Python {version}). "
        f"Install it: {sys.executable} -m pip install {quoted}. "
        f"In an image, add {package} to requirements.txt."
    )


def _pip_name(module: str) -> str:
    top, _, rest = module.partition(".")
    second = f"{top}.{rest.partition('.')[0]}"
    if top == "azureml" and rest:
        return _PIP_NAMES.get(second, second.replace(".", "-"))
    return _PIP_NAMES.get(second) or _PIP_NAMES.get(top, top)


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _places(name: str, folders: Iterable[str]) -> Iterator[str]:
    """Folders below those of the author that have the module."""
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                inner = [each.path for each in islice(entries, _MOST_ENTRIES) if each.is_dir()]
        except OSError:
            continue
        for path in sorted(inner):
            here = Path(path)
            if (here / f"{name}.py").is_file() or (here / name / "__init__.py").is_file():
                yield path
