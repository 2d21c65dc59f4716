import threading
import time
import unittest

from recording_host import RecordingHost
from scoring_worker import kinds
from scoring_worker.metrics import MetricRecorder, messages

NAN = float("nan")


class Recording(unittest.TestCase):
    def setUp(self):
        self.host = RecordingHost()
        self.metrics = MetricRecorder(self.host.metrics)

    def changes(self):
        self.metrics.report()
        return [change for report in self.host.reports for change in report["changes"]]

    def test_counters_add_gauges_keep_and_histograms_count(self):
        counter = self.metrics.counter("c_total", "c", ["kind"])
        counter.inc(kind="a")
        counter.inc(2.5, kind="a")
        gauge = self.metrics.gauge("g", "g")
        gauge.set(5)
        gauge.inc(2)
        gauge.dec()
        histogram = self.metrics.histogram("h", "h", buckets=[1, 10])
        for value in (0.5, 1, 5, 50):
            histogram.observe(value)
        self.assertEqual(
            self.changes(),
            [
                {"name": "c_total", "labels": ["a"], "value": 3.5},
                {"name": "g", "labels": [], "value": 6},
                {"name": "h", "labels": [], "value": 56.5, "counts": [2, 1, 1]},
            ],
        )
        self.assertEqual(
            [(each["kind"], each["name"]) for each in self.host.reports[0]["defined"]],
            [("counter", "c_total"), ("gauge", "g"), ("histogram", "h")],
        )
        self.assertEqual(self.host.reports[0]["defined"][2]["buckets"], [1, 10])
        self.assertNotIn("buckets", self.host.reports[0]["defined"][0])
        self.host.reports.clear()
        self.assertEqual(self.changes(), [], "nothing has changed since")
        counter.inc(kind="a")
        gauge.inc()
        self.assertEqual([change["value"] for change in self.changes()], [1, 7])

    def test_a_signal_handler_counts_where_its_thread_holds_the_lock(self):
        counter = self.metrics.counter("c_total", "c")

        def interrupted():
            with self.metrics.lock:
                counter.inc()

        thread = threading.Thread(target=interrupted, daemon=True)
        thread.start()
        thread.join(5)
        self.assertFalse(thread.is_alive())
        self.assertEqual(self.changes(), [{"name": "c_total", "labels": [], "value": 1}])

    def test_a_series_that_is_kept_is_that_of_its_labels(self):
        counter = self.metrics.counter("c_total", "c", labels=["a", "b"])
        kept = counter.labels(b=2, a="x")
        kept.inc()
        counter.inc(a="x", b="2")
        self.assertEqual(self.changes(), [{"name": "c_total", "labels": ["x", "2"], "value": 2}])

    def test_a_histogram_measures_a_block_and_a_function(self):
        histogram = self.metrics.histogram("h_seconds", "h", labels=["step"])
        with histogram.time(step="a"):
            pass

        @histogram.time(step="a")
        def step():
            raise KeyError

        for _ in range(2):
            self.assertRaises(KeyError, step)
        (change,) = self.changes()
        self.assertEqual(sum(change["counts"]), 3)

    def test_changes_are_reported_by_themselves_and_together(self):
        counter = self.metrics.counter("c_total", "c")
        counter.inc()
        self.assertFalse(self.host.reported.wait(0.5), "not before the worker serves")
        self.metrics.begin()
        for _ in range(999):
            counter.inc()
        self.assertTrue(self.host.reported.wait(10))
        self.assertEqual(self.changes(), [{"name": "c_total", "labels": [], "value": 1000}])

    def test_no_change_of_many_threads_is_lost(self):
        counter = self.metrics.counter("c_total", "c", ["n"])

        def count():
            for n in range(2000):
                counter.inc(n=n % 5)

        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.metrics.report()
        self.assertEqual(sum(change["value"] for change in self.changes()), 16_000)

    def test_a_definition_that_the_host_does_not_take_names_the_mistake(self):
        counter, histogram = self.metrics.counter, self.metrics.histogram
        self.metrics.histogram("h", "h")
        for define, message in (
            (lambda: counter("1x", "x"), "expected a name of letters"),
            (lambda: counter(None, "x"), r"metrics\.counter\(null\): expected a name"),
            (lambda: counter("scoring_requests_total", "x"), "names that begin with scoring_ are"),
            (lambda: counter("x", ""), "expected a line of help"),
            (lambda: counter("x", "x", "kind"), "labels of type str: expected a list"),
            (lambda: counter("x", "x", ["a-b"]), "label 'a-b': expected letters"),
            (lambda: counter("x", "x", ["__a"]), "label '__a'"),
            (lambda: counter("x", "x", ["le"]), "label le has a meaning of its own"),
            (lambda: counter("x", "x", ["a", "a"]), "labels a, a: expected each once"),
            (lambda: histogram("x", "x", buckets=[]), "expected finite numbers, ascending"),
            (lambda: histogram("x", "x", buckets=[2, 1]), r"buckets \[2, 1\]"),
            (lambda: histogram("x", "x", buckets=[1, float("inf")]), "finite"),
            (lambda: histogram("x", "x", buckets=5), "buckets of type int"),
            (lambda: counter("h", "h"), "there is one already, a histogram with labels"),
            (lambda: counter("h_count", "h"), "h_count would be a series of a histogram"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(ValueError, message):
                define()
        self.assertIs(counter("same_total", "x", ["a"]), counter("same_total", "x", ("a",)))

    def test_values_and_labels_that_do_not_fit_raise(self):
        counter = self.metrics.counter("c_total", "c", ["kind"])
        gauge = self.metrics.gauge("g", "g")
        for act, message in (
            (lambda: counter.inc(), r"expected the labels \['kind'\], got \[\]"),
            (lambda: counter.inc(kind="a", sort="b"), r"got \['kind', 'sort'\]"),
            (lambda: counter.inc(sort="b"), r"got \['sort'\]"),
            (lambda: counter.inc(-1, kind="a"), "a number that is not negative, got -1"),
            (lambda: gauge.set(NAN), "metric g: expected a finite number, got nan"),
            (lambda: gauge.set(float("inf")), "finite"),
            (lambda: gauge.set(10**400), "finite"),
            (lambda: gauge.set("5"), "expected a finite number, got '5'"),
            (lambda: gauge.inc(None), "got None"),
        ):
            with self.subTest(message=message), self.assertRaisesRegex(ValueError, message):
                act()
        self.assertEqual(self.changes(), [])

    def test_sums_that_are_infinite_are_the_largest_number(self):
        counter = self.metrics.counter("c_total", "c")
        gauge = self.metrics.gauge("g", "g")
        for _ in range(2):
            counter.inc(1.7e308)
            gauge.dec(1.7e308)
        self.assertEqual(
            [change["value"] for change in self.changes()],
            [1.7976931348623157e308, -1.7976931348623157e308],
        )

    def test_series_and_metrics_have_a_limit(self):
        counter = self.metrics.counter("c_total", "c", ["n"])
        for n in range(1500):
            counter.inc(n=n)
        self.assertEqual(len(self.changes()), 1000)
        for n in range(999):
            self.metrics.counter(f"m{n}", "m")
        with self.assertRaisesRegex(ValueError, "at most 1000 metrics; make a label"):
            self.metrics.counter("further", "m")

    def test_a_report_that_is_too_long_is_split_and_loses_no_series_that_fits(self):
        counter = self.metrics.counter("c_total", "c", ["text"])
        for n in range(100):
            counter.inc(text=f"{n}{'é' * 100_000}")
        counter.inc(text="x" * kinds.MOST_MESSAGE_BYTES)
        self.assertEqual(len(self.changes()), 100)
        self.assertGreater(len(self.host.reports), 1)
        self.assertEqual([len(each["defined"]) for each in self.host.reports[:2]], [1, 0])

    def test_a_child_that_was_forked_counts_and_reports_nothing(self):
        counter = self.metrics.counter("c_total", "c")
        self.metrics.lock.acquire()
        self.metrics.leave_host()
        counter.inc()
        self.assertEqual(self.changes(), [])

    def test_an_empty_report_is_not_sent(self):
        self.metrics.report()
        self.assertEqual(self.host.reports, [])
        self.assertEqual(list(messages([], [])), [])

    def test_counting_is_cheap(self):
        kept = self.metrics.counter("c_total", "c", ["kind"]).labels(kind="a")
        began = time.perf_counter()
        for _ in range(10_000):
            kept.inc()
        self.assertLess((time.perf_counter() - began) / 10_000, 50e-6)
