"""How entry scripts are loaded, called, and what their exceptions become."""

from __future__ import annotations

import os
import pickle
import sys
import unittest
from types import ModuleType
from typing import Any
from unittest import mock

from scoring_worker.answers import Answer
from scoring_worker.failures import Failure
from scoring_worker.loops import ThreadLoops
from set_up import ScriptTest, request

RUN = "def init(): pass\ndef run(data): return data\n"


class Loading(ScriptTest):
    """Of scripts."""

    def broken(self, source: str, **members: Any) -> str:
        """The text of the failure of a script."""
        with self.assertRaises(Failure) as caught:
            self.load(source, **members)
        self.assertEqual(caught.exception.code, "script_broken")
        return caught.exception.message

    def test_a_script_without_init_has_azures_text(self) -> None:
        text = self.broken("def run(data): pass")
        path = self.folder / "score.py"
        expected = f"User script at {path} does not have a init() function defined."
        self.assertEqual(text, f"{expected} It defines: run.")

    def test_a_script_without_run_has_azures_text(self) -> None:
        text = self.broken("def init(): pass")
        self.assertIn("does not have a run() function defined.", text)

    def test_an_init_that_is_no_function_is_named(self) -> None:
        text = self.broken("init = 5\ndef run(data): pass")
        self.assertIn("has init of type int: expected a function.", text)

    def test_parameters_that_azure_refuses_are_refused_with_its_texts(self) -> None:
        kinds = "run() cannot accept positional-only arguments, *args, or **kwargs."
        cases = {
            "*args": kinds,
            "data, **kwargs": kinds,
            "data, /": kinds,
            "": "run() needs to accept an argument for input data.",
            "request_headers": 'run() needs to accept an argument other than "request_headers".',
        }
        for parameters, expected in cases.items():
            with self.subTest(parameters):
                text = self.broken(f"def init(): pass\ndef run({parameters}): pass")
                self.assertEqual(text, expected)

    def test_a_failed_import_shows_the_frames_of_the_script_alone(self) -> None:
        text = self.broken("def fail():\n    raise ValueError('no')\nfail()\n")
        path = str(self.folder / "score.py")
        begin = "Failed to import user script because it raised an unhandled exception: "
        self.assertTrue(text.startswith(begin + path + "\nTraceback"), text)
        self.assertIn("ValueError: no", text)
        self.assertEqual(text.count('File "'), 2)
        self.assertEqual(text.count(f'File "{path}"'), 2)

    def test_an_exit_at_import_is_a_failed_import(self) -> None:
        self.assertIn("SystemExit: 5", self.broken("import sys\nsys.exit(5)"))

    def test_a_syntax_error_shows_its_line(self) -> None:
        text = self.broken("def init(:\n    pass\n")
        self.assertIn("line 1", text)
        self.assertIn("SyntaxError", text)

    def test_a_missing_package_is_told_with_the_cure(self) -> None:
        text = self.broken("import sklearn_of_nobody")
        self.assertIn("The module sklearn_of_nobody is not installed for " + sys.executable, text)
        self.assertIn(f"{sys.executable} -m pip install sklearn_of_nobody", text)
        self.assertIn("add sklearn_of_nobody to requirements.txt", text)

    def test_a_module_in_another_folder_is_told_with_its_folder(self) -> None:
        self.write("", "src/preparing.py")
        text = self.broken("import preparing", importPath=[str(self.folder)])
        self.assertIn(f"is in {self.folder / 'src'}, where Python does not look", text)

    def test_a_missing_module_of_an_installed_package_is_no_missing_package(self) -> None:
        text = self.broken("import json.nothing")
        self.assertIn("The package json is installed and has no module json.nothing", text)

    def test_a_package_has_the_name_that_pip_knows(self) -> None:
        source = "raise ModuleNotFoundError(\"No module named 'cv2'\", name='cv2')"
        self.assertIn("pip install opencv-python-headless", self.broken(source))

    def test_a_module_of_azureml_is_told_with_its_own_package(self) -> None:
        packages = {"core.run": "core", "ai.monitoring": "ai-monitoring", "telemetry": "telemetry"}
        for module, package in packages.items():
            source = f"raise ModuleNotFoundError('no', name='azureml.{module}')"
            self.assertIn(f"pip install azureml-{package}.", self.broken(source))

    def test_a_pickle_that_names_main_says_where_its_class_belongs(self) -> None:
        source = "import pickle\npickle.loads(b'c__main__\\nScaler\\n.')\n"
        with mock.patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
            text = self.broken(source)
            self.assertIn("The pickle names Scaler of __main__", text)
            self.assertIn("`import __main__; __main__.Scaler = Scaler`", text)
            repaired = "class Scaler: pass\nimport __main__; __main__.Scaler = Scaler\n"
            self.load(repaired + source + RUN)

    def test_a_relative_import_says_how_to_write_it(self) -> None:
        for line in ("from . import helper", "from .helper import X", "from ..a import b"):
            self.assertIn("write `import helper`", self.broken(line))

    def test_modules_beside_the_script_are_found_last(self) -> None:
        self.write("VALUE = 7", "beside_the_script.py")
        self.write("raise ValueError('hidden')", "json.py")
        script = self.load("import json, beside_the_script\n" + RUN)
        own = [each for each in sys.path if "server/python" not in each]
        self.assertEqual(own[-1], str(self.folder))
        self.assertIsNotNone(script)

    def test_the_module_is_registered_as_entry_module(self) -> None:
        source = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 1\n"
        self.load("from __future__ import annotations\n" + source + RUN)
        module: Any = sys.modules["entry_module"]
        self.assertEqual(pickle.loads(pickle.dumps(module.Point(3))).x, 3)

    def test_spawned_processes_import_the_script_by_its_name(self) -> None:
        source = "import multiprocessing, os\nfrom scoring_server import ScoringError\n"
        pool = "multiprocessing.get_context('spawn').Pool(1)"
        script = self.load(
            f"{source}def double(x): return 2 * x\ndef init(): pass\n"
            f"def run(data):\n    with {pool} as pool: return pool.map(double, [1, 2])\n"
        )
        with mock.patch.dict(os.environ, {"AZUREML_ENTRY_SCRIPT": script.path}):
            self.assertEqual(script.bind(request())(), [2, 4])

    def test_the_run_of_a_driver_module_is_called_directly(self) -> None:
        self.write("def run(data): return 'inner ' + data", "inner_score.py")
        script = self.load(
            "import inner_score as driver_module\n"
            "def init(): return 'outer'\ndef run(*args): return 'outer'\n"
        )
        self.assertEqual(script.bind(request("x"))(), "inner x")
        self.assertEqual(script.init(), "outer")


class Names(ScriptTest):
    """Of a script that mean something to the server."""

    def test_a_script_that_says_nothing_has_none(self) -> None:
        script = self.load(RUN)
        self.assertIsNone(script.concurrency)
        self.assertIsNone(script.close)
        self.assertIsNone(script.redact)
        self.assertIsNone(script.sample)
        self.assertFalse(script.is_async)

    def test_names_that_fit_are_taken(self) -> None:
        script = self.load(
            RUN + "concurrency = 4\ndef close(): return 1\ndef redact(body, context): return 2\n"
        )
        self.assertEqual(script.concurrency, 4)
        assert script.close is not None and script.redact is not None
        self.assertEqual((script.close(), script.redact(1, 2)), (1, 2))

    def test_an_endless_chain_of_decorators_ends(self) -> None:
        source = "from unittest.mock import Mock\ndef init(): pass\nrun = Mock()\n"
        signature = "import inspect\nrun.__signature__ = inspect.signature(lambda data: 1)\n"
        self.assertFalse(self.load(source + signature).is_async)

    def test_names_of_another_meaning_are_ignored(self) -> None:
        source = "concurrency = 'auto'\nfrom os import close\n"
        with self.assertLogs("scoring_server", "WARNING") as log:
            script = self.load(RUN + source)
        self.assertIsNone(script.concurrency)
        self.assertIsNone(script.close)
        self.assertIn("expected a whole number of at least 1", log.output[0])

    def test_something_else_named_redact_keeps_nothing_of_bodies(self) -> None:
        for source in ("redact = ['name']", "def redact(text): return text"):
            with self.subTest(source), self.assertLogs("scoring_server", "WARNING") as log:
                script = self.load(f"{RUN}\n{source}")
            assert script.redact is not None
            self.assertIsNone(script.redact({"name": "a"}, None))
            self.assertIn("expected a function redact(body, info)", log.output[0])

    def test_the_sample_is_read_after_init(self) -> None:
        script = self.load(
            "def init():\n    global sample\n    sample = 'late'\ndef run(data): return data\n"
        )
        script.init()
        self.assertEqual(script.bind_sample(request())(), "late")

    def test_the_sample_of_raw_mode_is_the_body(self) -> None:
        script = self.load(
            "from azureml.contrib.services.aml_request import rawhttp\n"
            "sample = 'x'\ndef init(): pass\n"
            "@rawhttp\ndef run(request): return request.method, request.data\n"
        )
        self.assertEqual(script.bind_sample(request())(), ("POST", b"x"))

    def test_a_sample_comes_without_headers(self) -> None:
        script = self.load(
            "sample = 'x'\ndef init(): pass\n"
            "def run(data, request_headers): return data, request_headers\n"
        )
        self.assertEqual(script.bind_sample(request())(), ("x", {}))

    def test_async_functions_are_seen_below_decorators(self) -> None:
        source = (
            "import functools\n"
            "def wrap(f):\n"
            "    @functools.wraps(f)\n"
            "    def inner(*args, **kw): return f(*args, **kw)\n"
            "    return inner\n"
            "def init(): pass\n"
        )
        cases = {
            "async def run(data): return 1": True,
            "async def run(data): yield 1": True,
            "@wrap\nasync def run(data): return 1": True,
            "@wrap\ndef run(data): return 1": False,
        }
        for run, expected in cases.items():
            with self.subTest(run):
                self.assertEqual(self.load(source + run).is_async, expected)


class Raising(ScriptTest):
    """What exceptions of run() become."""

    def setUp(self) -> None:
        super().setUp()
        # Other tests import it, which adds a frame below that of the test.
        self.enterContext(mock.patch.dict(sys.modules, {"flask": None}))

    def failure(self, body: str) -> Failure | Answer:
        """The failure of a script whose run() has this body."""
        script = self.load(f"import sys\ndef init(): pass\ndef run(data):\n    {body}\n")
        try:
            script.bind(request("x"))()
        except BaseException as raised:
            return script.failure_of(raised)
        raise AssertionError("run() has not raised")

    def message(self, body: str) -> str:
        """The text for the log of a failed run."""
        failure = self.failure(body)
        assert isinstance(failure, Failure)
        self.assertEqual(failure.code, "run_failed")
        return failure.message

    def test_the_log_has_the_frames_of_the_script_and_the_causes(self) -> None:
        text = self.message(
            "try: 1 / 0\n    except ZeroDivisionError as e: raise KeyError('k') from e"
        )
        self.assertIn("ZeroDivisionError: division by zero", text)
        self.assertIn("direct cause", text)
        self.assertTrue(text.endswith("KeyError: 'k'"), text)
        self.assertNotIn("scoring_worker", text)

    def test_the_log_has_no_frames_of_what_awaits_for_the_script(self) -> None:
        source = "async def init():\n    raise ValueError('away')\ndef run(data): pass\n"
        script = self.load(source)
        loops = ThreadLoops(mock.Mock())
        self.addCleanup(lambda: loops.current().close())
        try:
            loops.finish(script.init())
        except ValueError as raised:
            # Without the frame of this test.
            assert raised.__traceback__ is not None
            text = script.text_of(raised.with_traceback(raised.__traceback__.tb_next))
        self.assertEqual([line for line in text.splitlines() if "asyncio" in line], [])
        self.assertNotIn("loops.py", text)
        self.assertIn("in init", text)

    def test_a_huge_message_is_cut_in_its_middle(self) -> None:
        text = self.message("raise ValueError('a' * 10_000_000 + 'the end')")
        self.assertLess(len(text), 17_000)
        self.assertTrue(text.startswith("Traceback"))
        self.assertTrue(text.endswith("the end"))

    def test_exceptions_that_cannot_be_shown_are_named(self) -> None:
        text = self.message(
            "class Odd(Exception):\n"
            "        def __str__(self): raise KeyError('str')\n"
            "    raise Odd()"
        )
        self.assertIn("Odd", text)

    @unittest.skipIf(sys.version_info < (3, 11), "groups are new in Python 3.11")
    def test_groups_show_their_exceptions(self) -> None:
        text = self.message("raise ExceptionGroup('both', [ValueError('a'), TypeError('b')])")
        self.assertIn("ValueError: a", text)
        self.assertIn("TypeError: b", text)

    def test_endless_recursion_is_bounded(self) -> None:
        text = self.message("return run(data)")
        self.assertIn("RecursionError", text)
        self.assertLess(len(text), 17_000)

    def test_a_missing_package_in_run_is_told_with_the_cure(self) -> None:
        text = self.message("import package_of_nobody")
        self.assertIn("pip install package_of_nobody", text)

    def test_a_scoring_error_is_the_answer(self) -> None:
        cases = {
            "'age must be positive'": b'{"message":"age must be positive"}',
            "{'field': 'age'}": b'{"field":"age"}',
            "['age']": b'["age"]',
        }
        for message, expected in cases.items():
            with self.subTest(message):
                answer = self.failure(
                    "from scoring_server import ScoringError\n"
                    f"    raise ScoringError(422, {message})"
                )
                self.assertEqual(answer, Answer(422, expected))

    def test_a_subclass_of_scoring_error_is_the_answer(self) -> None:
        answer = self.failure(
            "from scoring_server import ScoringError\n"
            "    class Odd(ScoringError):\n"
            "        def __init__(self): self.message = 'odd'\n"
            "    raise Odd()"
        )
        self.assertEqual(answer, Answer(500, b'{"message":"odd"}'))

    def test_the_cause_of_a_scoring_error_is_logged_alone(self) -> None:
        with self.assertLogs("scoring_server", "WARNING") as log:
            answer = self.failure(
                "from scoring_server import ScoringError\n"
                "    raise ScoringError(503, 'later') from ValueError('secret cause')"
            )
        self.assertEqual(answer, Answer(503, b'{"message":"later"}'))
        self.assertIn("secret cause", log.output[0])

    def test_a_scoring_error_without_json_is_told(self) -> None:
        failure = self.failure(
            "from scoring_server import ScoringError\n    raise ScoringError(422, {'a': [set()]})"
        )
        assert isinstance(failure, Failure)
        self.assertEqual(failure.code, "result_not_json")
        self.assertIn("raised a ScoringError with a set at `body['a'][0]`", failure.message)

    def test_a_scoring_error_refuses_other_statuses(self) -> None:
        text = self.message(
            "from scoring_server import ScoringError\n    raise ScoringError(200, 'x')"
        )
        self.assertIn("expected a status from 400 to 599, got 200", text)

    def test_failures_of_the_server_pass(self) -> None:
        script = self.load(RUN)
        failure = Failure("bad_text", "x")
        self.assertIs(script.failure_of(failure), failure)


if __name__ == "__main__":
    unittest.main()
