"""The entry script in a process that multiprocessing spawns, which imports it by its name.

Its folder is the last one of sys.path, which such a process inherits.
"""

import os
import sys
from pathlib import Path

_SERVER = str(Path(__file__).resolve().parent.parent)
sys.path.append(_SERVER)
try:
    from scoring_worker.import_script import import_script
finally:
    sys.path.remove(_SERVER)

# The module of the script takes the place of this one.
import_script({"entryScript": os.environ["AZUREML_ENTRY_SCRIPT"], "importPath": []})
