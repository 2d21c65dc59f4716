"""Which modules of Azure scripts get, and where models are."""

from __future__ import annotations

import importlib
import os
import sys
import unittest
from pathlib import Path
from typing import Any

from scoring_worker import shims
from set_up import ScriptTest


def imported(name: str) -> Any:
    """A module."""
    return importlib.import_module(name)


class Shims(ScriptTest):
    """Of an environment without packages of Azure."""

    def setUp(self) -> None:
        super().setUp()
        # As if nothing of pip were installed.
        sys.path[:] = [each for each in sys.path if "site-packages" not in each]

    def test_modules_that_nothing_provides_are_ours(self) -> None:
        for name in (
            "azureml.contrib.services.aml_request",
            "azureml_inference_server_http.api.aml_response",
            "azureml.core.model",
            "scoring_server",
        ):
            with self.subTest(name):
                self.assertIn("server/python/packages", imported(name).__file__)

    def test_both_names_of_a_module_are_one(self) -> None:
        older = imported("azureml.contrib.services.aml_request")
        newer = imported("azureml_inference_server_http.api.aml_request")
        self.assertIs(older, newer)
        self.assertIs(imported("azureml.contrib.services").aml_request, newer)

    def test_other_modules_of_azure_are_missing(self) -> None:
        for name in ("azureml.train", "azureml.core.webservice", "azure_of_nobody"):
            with self.subTest(name), self.assertRaises(ModuleNotFoundError):
                imported(name)

    def test_other_names_of_azureml_core_say_what_to_do(self) -> None:
        with self.assertRaises(ImportError) as caught:
            exec("from azureml.core import Model, Workspace")
        self.assertIn("azureml.core.Workspace is not part of this server", str(caught.exception))
        self.assertIn("add azureml-core to requirements.txt", str(caught.exception))

    def test_an_installed_package_wins_and_ours_fill_its_gaps(self) -> None:
        self.write("", "azureml/__init__.py")
        self.write("", "azureml/core/__init__.py")
        self.write("class Model: theirs = True", "azureml/core/model.py")
        sys.path.insert(0, str(self.folder))
        self.assertTrue(imported("azureml.core.model").Model.theirs)
        response = imported("azureml.contrib.services.aml_response")
        self.assertIn("server/python/packages", response.__file__)

    def test_an_installed_namespace_wins_and_ours_fill_its_gaps(self) -> None:
        self.write("theirs = True", "azureml/train.py")
        sys.path.insert(0, str(self.folder))
        self.assertTrue(imported("azureml.train").theirs)
        imported("azureml.contrib.services.aml_response")

    def test_a_module_of_the_author_wins(self) -> None:
        self.write("theirs = True", "scoring_server.py")
        sys.path.insert(0, str(self.folder))
        self.assertTrue(imported("scoring_server").theirs)

    def test_the_finder_is_installed_once_and_last(self) -> None:
        shims.install()
        kinds = [type(each).__name__ for each in sys.meta_path]
        self.assertEqual(kinds.count("_ShimFinder"), 1)
        self.assertEqual(kinds[-1], "_ShimFinder")


class ModelPath(ScriptTest):
    """Of `Model.get_model_path`."""

    def setUp(self) -> None:
        super().setUp()
        self.models = self.folder / "models"
        self.models.mkdir()
        before = dict(os.environ)
        here = Path.cwd()
        self.addCleanup(os.chdir, here)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))
        os.chdir(self.folder)
        os.environ["AZUREML_MODEL_DIR"] = str(self.models)

    def file(self, path: str) -> str:
        """Writes a file below the folder of the test."""
        return self.write("", path)

    def path(self, name: str, version: Any = None) -> str:
        """The path of a model."""
        path: str = imported("azureml.core.model").Model.get_model_path(name, version)
        return path

    def test_several_models_have_folders_of_versions(self) -> None:
        self.file("models/ridge/2/ridge.pkl")
        tenth = self.file("models/ridge/10/ridge.pkl")
        self.file("models/other/1/net/a.onnx")
        self.assertEqual(self.path("ridge"), tenth)
        self.assertEqual(self.path("ridge", 10), tenth)
        self.assertTrue(self.path("ridge", "2").endswith("ridge/2/ridge.pkl"))
        self.assertTrue(self.path("other").endswith("other/1/net"))

    def test_a_version_with_several_files_is_the_model(self) -> None:
        self.file("models/ridge/1/a.pkl")
        self.file("models/ridge/1/b.pkl")
        self.assertTrue(self.path("ridge").endswith("models/ridge/1"))

    def test_one_model_is_in_the_folder_of_its_version(self) -> None:
        file = self.file("models/ridge/3/ridge.pkl")
        os.environ["AZUREML_MODEL_DIR"] = str(self.models / "ridge" / "3")
        self.assertEqual(self.path("ridge"), file)
        self.assertEqual(self.path("ridge", version=3), file)
        with self.assertRaises(FileNotFoundError):
            self.path("ridge", 4)
        with self.assertRaises(FileNotFoundError):
            self.path("other")

    def test_a_mounted_folder_of_files_is_the_model(self) -> None:
        file = self.file("models/ridge.pkl")
        self.assertEqual(self.path("sklearn_regression"), file)
        self.assertEqual(self.path("ridge.pkl"), file)
        self.file("models/scaler.pkl")
        self.assertEqual(self.path("sklearn_regression"), str(self.models))
        self.assertEqual(self.path("scaler.pkl"), str(self.models / "scaler.pkl"))

    def test_local_folders_are_looked_into_last(self) -> None:
        del os.environ["AZUREML_MODEL_DIR"]
        file = self.file("azureml-models/ridge/1/ridge.pkl")
        self.assertEqual(str(Path(self.path("ridge")).resolve()), str(Path(file).resolve()))
        self.file("local.pkl")
        self.assertEqual(self.path("local.pkl"), "local.pkl")
        self.assertEqual(self.path("local.pkl", 3), "local.pkl")

    def test_a_missing_model_is_told_with_what_is_there(self) -> None:
        self.file("models/ridge/1/ridge.pkl")
        with self.assertRaises(FileNotFoundError) as caught:
            self.path("rigde", 2)
        self.assertEqual(
            str(caught.exception),
            f"There is no model rigde of version 2 in AZUREML_MODEL_DIR ({self.models}). "
            "Expected <name>/<version>/<file>; found: ridge, ridge/1, ridge/1/ridge.pkl.",
        )

    def test_a_workspace_is_told_to_need_the_package(self) -> None:
        with self.assertRaises(NotImplementedError) as caught:
            imported("azureml.core").Model("workspace", "name")
        self.assertIn("add azureml-core to requirements.txt", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
