"""Outside a worker, as in a test of a script: the worker's code, which lies beside the packages."""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[1] / "scoring_worker")]
