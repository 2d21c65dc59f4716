import array
import datetime
import decimal
import enum
import json
import pathlib
import subprocess
import sys
import threading
import time
import unittest
import uuid
from unittest import mock

from recording_host import PACKAGES, connected, of_packages, request
from scoring_worker.collected_rows import blocks_of
from scoring_worker.columns import Columns
from scoring_worker.port import port
from scoring_worker.sampling import is_sampled

try:
    import numpy as np
    import pandas as pd
except ImportError:
    np = pd = None

monitoring = of_packages("azureml.ai.monitoring")
BasicCorrelationContext, Collector = monitoring.BasicCorrelationContext, monitoring.Collector
ModelDataCollector = of_packages("azureml.monitoring").ModelDataCollector
NAN = float("nan")
needs_pandas = unittest.skipIf(pd is None, "pandas is not installed")


def texts(*calls, types=None, names=None, warn=None):
    columns = Columns(warn)
    return [columns.text(blocks_of(data, names), types) for data in calls]


def rows(data, names=None):
    return json.loads(texts(data, names=names)[0])


class Rows(unittest.TestCase):
    def test_rows_columns_and_arrays_become_rows_of_single_values(self):
        for data, names, expected in (
            ([{"a": 1, "b": "x"}, {"a": None}], None, [{"a": 1, "b": "x"}, {"a": None}]),
            ({"y": [1, 2], "w": (3, 4)}, None, [{"y": 1, "w": 3}, {"y": 2, "w": 4}]),
            ({"y": [1, 2], "model": "m"}, None, [{"y": 1, "model": "m"}, {"y": 2, "model": "m"}]),
            ({"a": 1, "b": "x"}, None, [{"a": 1, "b": "x"}]),
            ([1, 2], None, [{"value": 1}, {"value": 2}]),
            (array.array("d", [1, 2]), ["y"], [{"y": 1.0}, {"y": 2.0}]),
            ([[1, 2]], None, [{"column_0": 1, "column_1": 2}]),
            ([[1, 2]], ["age", "bmi"], [{"age": 1, "bmi": 2}]),
            ([[1, 2]], ["a", "a"], [{"a": 1, "a_2": 2}]),
            (
                [{"a": [1, 2], "b": {"c": 3, "d": [4]}}],
                None,
                [{"a_0": 1, "a_1": 2, "b_c": 3, "b_d_0": 4}],
            ),
            ({"p": [{"k": 1}, {"k": 2}]}, None, [{"p_k": 1}, {"p_k": 2}]),
            ([], None, []),
            ([{}, {"a": 1}], None, [{}, {"a": 1}]),
            ([{"100%": 1}], None, [{"100%": 1}]),
        ):
            with self.subTest(data=data):
                self.assertEqual(rows(data, names), expected)

    def test_a_table_without_rows_settles_no_name_and_no_type(self):
        empty = {"a b": array.array("d"), "x": array.array("d")}
        self.assertEqual(texts(empty, [{"a.b": 1, "x": 2}]), ["[]", '[{"a_b":1,"x":2}]'])

    def test_values_of_the_standard_library_have_a_form(self):
        class Kind(enum.Enum):
            A = "a"

        utc = datetime.timezone(datetime.timedelta(hours=2))
        for value, expected in (
            (2**70, 2**70),
            (NAN, None),
            (-float("inf"), None),
            (True, True),
            (decimal.Decimal("1.50"), 1.5),
            (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
            (pathlib.PurePosixPath("/a"), "/a"),
            (Kind.A, "a"),
            ("é".encode(), "é"),
            (datetime.date(2024, 1, 2), "2024-01-02"),
            (datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), "2024-01-02T03:04:05.678"),
            (datetime.datetime(2024, 1, 2, 3, tzinfo=utc), "2024-01-02T01:00:00.000Z"),
            (datetime.timedelta(seconds=1.5), 1.5),
        ):
            with self.subTest(value=value):
                self.assertEqual(rows([{"a": value}]), [{"a": expected}])

    def test_data_that_has_no_rows_names_the_expected_form(self):
        for data, message in (
            (5, "expected a DataFrame, rows, columns or arrays as data, got int"),
            (None, "got None"),
            ({}, "got a dict without any"),
            ({"a": [1, 2], "b": [1]}, "columns of the same length, got a: 2, b: 1"),
            ([lambda: 1], "as row 0, got function"),
            ([{"a": object()}], "as values, got object"),
            ([{"a": {1, 2}}], "as values, got set"),
            ((each for each in [1]), "got generator"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(TypeError, message):
                blocks_of(data)


class Types(unittest.TestCase):
    def test_floats_have_a_fraction_and_whole_numbers_none(self):
        self.assertEqual(
            texts([{"a": 1.0, "b": 1, "c": -0.0, "d": 1e21, "e": 2**60}]),
            ['[{"a":1.0,"b":1,"c":-0.0,"d":1e+21,"e":1152921504606846976}]'],
        )

    def test_a_column_of_whole_numbers_becomes_a_float_for_good(self):
        warnings = []
        self.assertEqual(
            texts([{"a": 1}], [{"a": 2.5}], [{"a": 3}], [{"b": 4}], warn=warnings.append),
            ['[{"a":1}]', '[{"a":2.5}]', '[{"a":3.0}]', '[{"b":4}]'],
        )
        self.assertEqual(len(warnings), 1)
        self.assertRegex(warnings[0], r'the column a had whole numbers .* types=\{"a": "float"\}')
        self.assertEqual(texts([{"a": 1}, {"a": 2.5}]), ['[{"a":1.0},{"a":2.5}]'])

    def test_a_text_among_the_first_values_makes_them_texts(self):
        first = [{"a": 1.5, "e": True, "f": 1}, {"a": "x", "e": "x", "f": "x"}]
        self.assertEqual(
            texts(first, [{"a": 2, "e": False, "f": 2}]),
            [
                '[{"a":"1.5","e":"true","f":"1"},{"a":"x","e":"x","f":"x"}]',
                '[{"a":"2","e":"false","f":"2"}]',
            ],
        )
        self.assertEqual(texts([{"a": 1.5}], [{"a": "x"}]), ['[{"a":1.5}]', '[{"a":null}]'])

    def test_types_that_a_script_gives_hold_for_nested_values_too(self):
        types = {"a": "float", "b": "int", "c": "string", "d": "boolean", "list": "float"}
        self.assertEqual(
            texts([{"a": 41, "b": 2.0, "c": 7, "d": 1, "list": [1, 2]}], types=types),
            ['[{"a":41.0,"b":2,"c":"7","d":true,"list_0":1.0,"list_1":2.0}]'],
        )

    def test_a_value_without_a_form_of_its_type_is_null_and_logged_once(self):
        warnings = []
        later = [
            {"i": "x", "f": "high", "t": 2, "b": "yes"},
            {"i": 3, "f": True, "t": None, "b": 0},
        ]
        first = [{"i": 1, "f": 1.0, "t": "x", "b": True}]
        self.assertEqual(
            texts(first, later, types={"i": "int"}, warn=warnings.append)[1],
            '[{"i":null,"f":null,"t":"2","b":null},{"i":3,"f":1.0,"t":null,"b":false}]',
        )
        self.assertEqual(
            warnings,
            ["the column i is of type int: a value of type str is null there (logged once)"],
        )

    def test_names_that_meet_are_columns_of_their_own_for_the_life_of_a_collector(self):
        self.assertEqual(
            texts(
                [{"a.b": 1, "a_b": 2, "a": {"b": 3}, "a b": 4}],
                [{"a_b": 2, "a.b": 1}],
                [{"x": [1], "x_0": 2}],
                [{"Age": 1, "age": 2}],
            ),
            [
                '[{"a_b_4":1,"a_b":2,"a_b_2":3,"a_b_3":4}]',
                '[{"a_b":2,"a_b_4":1}]',
                '[{"x_0_2":1,"x_0":2}]',
                '[{"Age":1,"age_2":2}]',
            ],
        )

    def test_many_names_that_meet_take_linear_time(self):
        # Of this process alone: others may have the machine.
        began = time.process_time()
        names = [f"{n:015b}".replace("0", ".").replace("1", ",") for n in range(20_000)]
        (row,) = rows([dict.fromkeys(names, 1)])
        self.assertEqual(len(row), 20_000)
        self.assertLess(time.process_time() - began, 5)

    def test_the_number_of_columns_has_a_limit(self):
        columns = Columns()
        with mock.patch("scoring_worker.columns._MOST_COLUMNS", 1000):
            columns.text(blocks_of([[1] * 1000]))
            with self.assertRaisesRegex(ValueError, "at most 1000 columns"):
                columns.text(blocks_of([{"further": 1}]))
            self.assertEqual(columns.text(blocks_of([[2]])), '[{"column_0":2}]')


@needs_pandas
class Pandas(unittest.TestCase):
    def frame(self):
        return pd.DataFrame(
            {
                "i": [1, 2**62 + 1],
                "f": [1.0, NAN],
                "s": ["x", None],
                "t": pd.to_datetime(["2024-01-02T03:04:05.678", None]),
                "tz": pd.to_datetime(["2024-01-02T03:04:05+02:00", None]),
                "c": pd.Categorical(["u", "v"]),
                "n": pd.Categorical([1, 2]),
                "b": [True, False],
                "nullable": pd.array([1, None], dtype="Int64"),
                "flag": pd.array([True, None], dtype="boolean"),
                "text": pd.array(['é"', None], dtype="string"),
                "took": pd.to_timedelta([1, None], unit="s"),
                "u": np.array([2**64 - 1, 0], dtype="uint64"),
            }
        )

    def test_a_frame_keeps_types_and_has_null_for_what_is_missing(self):
        one, other = rows(self.frame())
        self.assertEqual(
            list(one.values()),
            [1, 1.0, "x", "2024-01-02T03:04:05.678", "2024-01-02T01:04:05.000Z", "u", 1]
            + [True, 1, True, 'é"', 1.0, 2**64 - 1],
        )
        self.assertEqual(
            list(other.values()),
            [2**62 + 1, None, None, None, None, "v", 2, False, None, None, None, None, 0],
        )

    def test_a_frame_is_as_the_text_of_pandas_for_numbers_texts_and_flags(self):
        frame = self.frame()[["i", "s", "b", "nullable", "text", "c"]]
        self.assertEqual(rows(frame), json.loads(frame.to_json(orient="records")))

    def test_an_empty_frame_settles_its_types(self):
        frame = pd.DataFrame({"a": pd.Series([], dtype="float64")})
        self.assertEqual(texts(frame, [{"a": 1}]), ["[]", '[{"a":1}]'])

    def test_equal_names_are_two_columns_and_other_labels_are_texts(self):
        frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", 7])
        self.assertEqual(rows(frame), [{"a": 1, "a_2": 2, "7": 3}])

    def test_names_of_several_levels_are_refused_with_the_cure(self):
        frame = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")]))
        with self.assertRaisesRegex(
            TypeError, r"a MultiIndex of 2 levels: join them, as with frame\.columns"
        ):
            blocks_of(frame)

    def test_nested_values_of_a_frame_become_columns(self):
        frame = pd.DataFrame({"id": [1, 2], "tags": [["a", "b"], ["c"]], "o": [{"k": 1}, {}]})
        self.assertEqual(
            rows(frame),
            [{"id": 1, "tags_0": "a", "tags_1": "b", "o_k": 1}, {"id": 2, "tags_0": "c"}],
        )

    def test_a_series_has_its_name(self):
        self.assertEqual(rows(pd.Series([1, 2], name="n")), [{"n": 1}, {"n": 2}])

    def test_values_of_numpy_and_pandas_in_rows_have_a_form(self):
        for value, expected in (
            (np.int64(3), 3),
            (np.float32(0.5), 0.5),
            (np.bool_(True), True),
            (np.str_("x"), "x"),
            (np.array(7), 7),
            (np.datetime64("2024-01-01T00:00:00.5", "ns"), "2024-01-01T00:00:00.500"),
            (np.timedelta64(1500, "ms"), 1.5),
            (pd.NA, None),
            (pd.NaT, None),
            (pd.Timestamp("2024-01-01", tz="UTC"), "2024-01-01T00:00:00.000Z"),
            (pd.Period("2024", freq="Y"), "2024"),
        ):
            with self.subTest(value=repr(value)):
                self.assertEqual(rows([{"a": value}]), [{"a": expected}])


@unittest.skipIf(np is None, "numpy is not installed")
class Arrays(unittest.TestCase):
    def test_arrays_decide_the_type_of_their_columns(self):
        self.assertEqual(
            texts(
                {
                    "x": np.float32([1]),
                    "z": np.array([2**60]),
                    "b": np.array([True]),
                }
            ),
            ['[{"x":1.0,"z":1152921504606846976,"b":true}]'],
        )
        self.assertEqual(texts(np.float16([1, 2])), ['[{"value":1.0},{"value":2.0}]'])
        self.assertEqual(texts({"a": np.float32([1])}, {"a": ["x"]})[1], '[{"a":null}]')

    def test_dimensions_below_the_first_are_columns(self):
        self.assertEqual(
            rows({"y": np.array([[1], [2]]), "p": np.array([[1, 2], [3, 4]])}),
            [{"y": 1, "p_0": 1, "p_1": 2}, {"y": 2, "p_0": 3, "p_1": 4}],
        )
        self.assertEqual(rows(np.array([[1, 2]]), ["age", "bmi"]), [{"age": 1, "bmi": 2}])
        self.assertEqual(len(rows(np.zeros((2, 2, 2)))[0]), 4)
        self.assertEqual(
            list(rows([{"p": np.zeros((2, 2))}])[0]), ["p_0_0", "p_0_1", "p_1_0", "p_1_1"]
        )
        self.assertEqual(rows([np.array([1, 2])], ["a"]), [{"a": 1, "column_1": 2}])

    def test_complex_numbers_are_refused(self):
        with self.assertRaisesRegex(TypeError, "got complex128 values"):
            blocks_of(np.array([1j]))


class Collectors(unittest.TestCase):
    def test_rows_belong_to_the_request_to_a_context_or_to_an_id_of_their_own(self):
        with connected() as host:
            inputs = Collector(name="model_inputs")
            with request():
                context = inputs.collect([{"a": 1}])
            Collector(name="model_outputs").collect([{"b": 1}], context)
            headers = {"tenant": "t", "Authorization": "secret"}
            given = BasicCorrelationContext(id="mine", timestamp=5, headers=headers)
            self.assertIs(inputs.collect([{"a": 2}], given), given)
            own = inputs.collect([{"a": 3}])
        idents = [head["id"] for _, head, _ in host.collected]
        self.assertEqual(idents[:3], ["of-the-request", "of-the-request", "mine"])
        self.assertEqual(str(uuid.UUID(own.get_id())), idents[3])
        self.assertEqual(
            host.collected[2][1], {"id": "mine", "time": 5000, "headers": {"tenant": "t"}}
        )
        self.assertLess(abs(host.collected[0][1]["time"] - time.time() * 1000), 10_000)

    def test_a_context_of_the_script_has_at_least_an_id(self):
        class Own:
            def get_id(self):
                return 7

        with connected() as host:
            collector = Collector(name="c")
            collector.collect([{"a": 1}], Own())
            collector.collect([{"a": 1}], BasicCorrelationContext(id="x", timestamp=NAN))
            collector.collect([{"a": 1}], "an id")
        self.assertEqual([head["id"] for _, head, _ in host.collected], ["7", "x"])
        self.assertLess(abs(host.collected[1][1]["time"] - time.time() * 1000), 10_000)
        self.assertEqual(
            len(host.texts("expected a BasicCorrelationContext as the context, got str")), 1
        )

    def test_a_child_that_was_forked_collects_nothing_and_says_nothing_of_it(self):
        with connected() as host, request():
            before = Collector(name="before")
            port.leave_host()
            for collector in (before, Collector(name="after")):
                self.assertEqual(collector.collect([1]).get_id(), "of-the-request")
        self.assertEqual((host.collected, host.lines), ([], []))

    def test_where_collection_is_off_a_collector_answers_a_context_and_says_so_once(self):
        with connected(collection=False) as host, request():
            for _ in range(2):
                context = Collector(name="Wrong Name").collect(object())
            self.assertEqual(context.get_id(), "of-the-request")
        self.assertEqual([level for level, _ in host.lines], ["info"])
        self.assertEqual(len(host.texts("collection is off: MDC_DIR=<folder> switches it on")), 1)

    def test_data_that_does_not_fit_is_counted_logged_once_and_told_to_on_error(self):
        errors = []
        with connected() as host:
            for _ in range(2):
                Collector(name="x", on_error=errors.append).collect({"a": [1, 2], "b": [1]})
            Collector(name="y").collect(5)
            port.report()
        self.assertEqual([type(error) for error in errors], [TypeError, TypeError])
        self.assertEqual(host.counts, {("x", "invalid_data"): 2, ("y", "invalid_data"): 1})
        self.assertEqual(len(host.texts("x: data is not collected: collect: expected columns")), 1)

    def test_an_error_reaches_the_script_only_where_it_asks_for_it(self):
        def again(error):
            raise error

        with connected(), self.assertRaisesRegex(TypeError, "same length"):
            Collector(name="x", on_error=again).collect({"a": [1], "b": []})

    def test_a_wrong_name_or_type_collects_nothing_and_raises_nothing(self):
        with connected() as host:
            for name in ("request", "Model Inputs", "", "../x", None):
                Collector(name=name).collect([{"a": 1}])
            Collector(name="c", types={"a": "double"}).collect([{"a": 1}])
            Collector(name="c", types="float").collect([{"a": 1}])
            port.report()
        self.assertEqual(host.collected, [])
        self.assertEqual(host.counts, {("unknown", "invalid_data"): 7})
        self.assertEqual(len(host.texts("expected a name of your own, got request")), 1)

    def test_ids_out_of_the_sample_and_collections_that_are_not_selected_are_counted(self):
        with connected({"kept": 0.5}, 0) as host:
            for name in ("kept", "left"):
                for n in range(100):
                    Collector(name=name).collect([{"a": 1}], BasicCorrelationContext(id=f"r-{n}"))
            self.assertTrue(host.reported.wait(10), "reported without a call")
            port.report()
        kept = sum(is_sampled(f"r-{n}", 0.5) for n in range(100))
        self.assertEqual(len(host.collected), kept)
        self.assertEqual(
            host.counts, {("kept", "sampled_out"): 100 - kept, ("left", "not_selected"): 100}
        )
        self.assertEqual(len(host.texts("left: its rows are not collected: MDC_COLLECTIONS")), 1)

    def test_rows_of_a_deep_check_and_of_init_are_neither_collected_nor_counted(self):
        with connected({}, 0) as host, request(protocol=3):
            Collector(name="x").collect([{"a": 1}])
            port.collection.opened = False
            with request():
                Collector(name="x").collect([{"a": 1}])
            port.report()
        self.assertEqual((host.collected, host.counts, host.lines), ([], {}, []))

    def test_names_of_collections_that_are_made_from_data_have_a_limit(self):
        with connected() as host:
            for n in range(500):
                Collector(name=f"c{n}").collect([{"a": 1}])
            Collector(name="c3").collect([{"a": 1}])
            port.report()
        self.assertEqual(len(host.collected), 101)
        self.assertEqual(host.counts, {("unknown", "too_many_collections"): 400})
        self.assertEqual(len(host.texts("at most 100, c100 is one more")), 1)

    def test_rows_and_heads_beyond_the_limit_are_not_collected(self):
        with connected() as host:
            Collector(name="x").collect([{"a": "x" * (33 * 1024 * 1024)}])
            headers = {f"h{n}": "x" * 16_000 for n in range(100)}
            Collector(name="y").collect([{"a": 1}], BasicCorrelationContext(headers=headers))
            Collector(name="z").collect([{"a": 1}], BasicCorrelationContext(id="x" * 100_000))
        self.assertEqual([name for name, _, _ in host.collected], ["z"])
        self.assertLess(len(host.collected[0][1]["id"]), 20_000)

    def test_threads_share_a_collection(self):
        def collect(number):
            for n in range(100):
                Collector(name="x").collect([{"a": n, "b": [number] * 3, f"c{n}": 1.5}])

        with connected() as host:
            threads = [threading.Thread(target=collect, args=[number]) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertEqual(len(host.collected), 800)
        self.assertEqual({len(row) for _, _, (row,) in host.collected}, {5})

    def test_halves_of_characters_are_escaped(self):
        with connected() as host:
            Collector(name="x").collect([{"a": "\ud800é"}])
        self.assertEqual(host.collected[0][2], [{"a": "\ud800é"}])

    def test_the_sample_is_that_of_the_host(self):
        kept = [
            ident for ident in ("a", "request-1", "é", "😀", "0" * 100) if is_sampled(ident, 0.5)
        ]
        self.assertEqual(kept, KEPT_BY_THE_HOST)
        self.assertTrue(is_sampled("x", 1) and not is_sampled("x", 0))


# isSampled(id, 0.5) of server/request/sampling.ts.
KEPT_BY_THE_HOST = ["a", "request-1", "😀", "0" * 100]


class ModelDataCollectors(unittest.TestCase):
    def test_predictions_are_tied_to_inputs_and_rows_keep_what_they_carry(self):
        with connected() as host, request("req"):
            inputs = ModelDataCollector("m", designation="inputs", feature_names=["a", "b"])
            predictions = ModelDataCollector("m", designation="predictions", feature_names=["y"])
            correlations = inputs.collect([1, 2.5], "user")
            predictions.collect(predictions.add_correlations([[0.5]], correlations))
        self.assertRegex(correlations["$aml_dc_correlation_id"], "^user-[0-9a-f-]{36}$")
        self.assertRegex(
            correlations["$aml_dc_scoring_timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"
        )
        self.assertEqual(list(correlations.values())[2:], [1440, "s/g/w", "ep", "m", "7", "req"])
        (one, head, rows_in), (other, _, rows_out) = host.collected
        self.assertEqual((one, other, head["v1"]), ("inputs", "predictions", "inputs"))
        self.assertEqual(rows_in, [{"a": 1, "b": 2.5, **correlations}])
        self.assertEqual(rows_out, [{"y": 0.5, **correlations}])
        self.assertEqual(head["id"], correlations["$aml_dc_correlation_id"])

    def test_data_that_does_not_fit_raises_nothing(self):
        with connected() as host:
            collector = ModelDataCollector("m", designation="predictions")
            for data in (5, None, {"a": [1, 2], "b": [1]}):
                self.assertEqual(collector.add_correlations(data, None), [])
                self.assertIsNone(collector.collect(data))
            collector.collect([])
            ModelDataCollector("m", identifier="other").collect([1])
            port.report()
        self.assertEqual(host.collected, [])
        self.assertEqual(
            host.counts, {("predictions", "invalid_data"): 6, ("unknown", "invalid_data"): 1}
        )

    @needs_pandas
    def test_a_frame_with_correlations_is_a_frame(self):
        with connected() as host:
            frame = pd.DataFrame({"y": [1.0, 2.0]})
            correlations = ModelDataCollector("m", "inputs").collect(np.array([1.0, 2.0]))
            predictions = ModelDataCollector("m", "predictions")
            together = predictions.add_correlations(frame, correlations)
            predictions.collect(together)
        self.assertEqual(list(together.columns), ["y", *correlations])
        self.assertEqual(host.collected[0][2][0]["column_1"], 2.0)
        self.assertEqual(host.collected[1][2][1], {"y": 2.0, **correlations})


class OutsideAWorker(unittest.TestCase):
    def test_packages_import_and_collect_nothing(self):
        script = """
from azureml.ai.monitoring import Collector
from azureml.ai.monitoring.context import BasicCorrelationContext
from azureml.monitoring import ModelDataCollector
from scoring_server import metrics
context = BasicCorrelationContext(id="mine")
assert Collector(name="x").collect(object(), context) is context
correlations = ModelDataCollector("m", designation="inputs").collect([1])
assert correlations["$aml_request_id"] == "00000000-0000-0000-0000-000000000000"
counter = metrics.counter("mine_total", "mine", labels=["kind"])
counter.inc(kind="a")
try:
    counter.inc(sort="a")
except ValueError as error:
    assert str(error) == "metric mine_total: expected the labels ['kind'], got ['sort']", error
else:
    raise AssertionError
"""
        subprocess.run(
            [sys.executable, "-B", "-c", script],
            check=True,
            env={"PYTHONPATH": PACKAGES},
            timeout=60,
            capture_output=True,
        )
