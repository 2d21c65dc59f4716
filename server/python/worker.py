"""Starts the worker of an entry script in Python. Old interpreters parse this file, too."""

import os
import sys

# Why the number of the frame is here: an old interpreter cannot import the rest.
_START_FAILED = 17
_HOST_FD = 3


def _refuse():
    # type: () -> None
    """Tells the host, in a frame (server/ipc/README.md), that this interpreter is too old."""
    import json
    import struct

    text = (
        "The entry script needs Python 3.10 or later, got Python %s (%s): set "
        "AZUREML_INFERENCE_PYTHON_PATH to a later one, or use the python of the image."
    ) % (sys.version.split()[0], sys.executable)
    payload = json.dumps({"code": "script_broken", "message": text}).encode("ascii")
    os.write(_HOST_FD, struct.pack("<IIB", len(payload) + 5, 0, _START_FAILED) + payload)
    os._exit(3)


def _write_no_bytecode():
    # type: () -> None
    """Keeps imports from writing below this folder, which is not the script's.

    Modules elsewhere keep their bytecode: sys.dont_write_bytecode is the script's.
    """
    from importlib.machinery import FileFinder, SourceFileLoader
    from pathlib import Path

    own = Path(__file__).resolve().parent

    class Loader(SourceFileLoader):
        def set_data(self, path, data, **_):
            # type: (str, object, object) -> None
            """Writes nothing."""

    def finder(path):
        # type: (str) -> FileFinder
        try:
            is_own = Path(path).resolve().is_relative_to(own)
        except (OSError, RuntimeError, TypeError, ValueError):
            # A loop of links, or no path: what a script may put into sys.path.
            is_own = False
        if not is_own:
            raise ImportError("a folder of others")
        return FileFinder(path, (Loader, [".py"]))

    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()


def _main():
    # type: () -> None
    """Starts the watchdog before all else: a process without threads may fork."""
    # Frees the first place of the search for the script: a user's worker.py is not this file.
    # PYTHONSAFEPATH leaves it free.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path.append(here)
    try:
        from scoring_worker.watchdog import start_watchdog

        start_watchdog()
        from scoring_worker.main import main
    finally:
        sys.path.remove(here)
    main()


if __name__ == "__main__":
    if sys.version_info < (3, 10):
        _refuse()
    _write_no_bytecode()
    _main()
else:
    # A process that multiprocessing spawns runs this file under another name.
    _write_no_bytecode()
