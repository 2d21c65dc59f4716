"""Model of the package azureml-core, which finds the files of models.

The other names of the package belong to a workspace of Azure, which a server has none of.
"""

from typing import Any

from .model import Model

__all__ = ["Model"]


def __getattr__(name: str) -> Any:
    """Raises ImportError for the names that only azureml-core has."""
    if name.startswith("_"):
        raise AttributeError(name)
    raise ImportError(
        f"azureml.core.{name} is not part of this server, which has azureml.core.Model alone: "
        "add azureml-core to requirements.txt, or leave the import out of the entry script.",
        name="azureml.core",
    )
