"""Starts the worker of an entry script in Python. Old interpreters parse this file, too."""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "a worker needs Python 3.10 or later, got %s at %s"
        % (sys.version.split()[0], sys.executable)
    )

# Frees the first place of the search for the script: a user's worker.py is not this file.
_here = sys.path.pop(0)
sys.path.append(_here)
_writes_bytecode = sys.dont_write_bytecode
sys.dont_write_bytecode = True
try:
    from scoring_worker.main import main
finally:
    sys.path.remove(_here)
    sys.dont_write_bytecode = _writes_bytecode

if __name__ == "__main__":
    main()
