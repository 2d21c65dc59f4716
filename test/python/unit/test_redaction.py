import asyncio
import gc
import json
import struct
import time
import unittest
import warnings

from recording_host import RecordingHost
from scoring_worker.redaction import RedactionHook

NAN = float("nan")
JSON = "application/json"


class Hooks(unittest.TestCase):
    def setUp(self):
        # The hook keeps a loop for its next body.
        warnings.simplefilter("ignore", ResourceWarning)
        self.host = RecordingHost()
        self.marks = []

    def redact(self, hook, *bodies, limit_s=10.0, on_loop=False):
        """Results of a hook for (content type, body): (content type, body), a reason, or None."""
        made = RedactionHook(hook, self.host, lambda *mark: self.marks.append(mark), limit_s)
        sides = [
            {"collection": ("request", "response")[at % 2], "contentType": kind, "bytes": len(body)}
            for at, (kind, body) in enumerate(bodies)
        ]
        head = json.dumps({"id": "req-1", "sides": sides}).encode()
        payload = struct.pack("<I", len(head)) + head + b"".join(body for _, body in bodies)
        if on_loop:
            asyncio.run(made.redact_on_loop(9, memoryview(payload)))
        else:
            made.redact(9, memoryview(payload))
        ((ident, heads, kept),) = self.host.answers
        self.host.answers.clear()
        self.assertEqual(ident, 9)
        left = iter(kept)
        return [
            (each["contentType"], next(left)) if isinstance(each, dict) else each for each in heads
        ]

    def seen(self, kind, body):
        seen = []
        self.redact(lambda value, _: seen.append(value), (kind, body))
        return seen[0]

    def test_a_hook_decides_what_is_kept_of_each_body(self):
        infos = []

        def hook(body, info):
            infos.append((info.collection, info.content_type, info.id))
            return {"name": body["name"]} if "name" in body else None

        self.assertEqual(
            self.redact(hook, (JSON, b'{"name":"\xc3\xa9","secret":1}'), (JSON, b'{"secret":1}')),
            [(JSON, '{"name":"é"}'.encode()), None],
        )
        self.assertEqual(infos, [("request", JSON, "req-1"), ("response", JSON, "req-1")])

    def test_a_body_is_parsed_json_else_text_else_bytes(self):
        value = self.seen(JSON, b'\xef\xbb\xbf{"a":[NaN,-Infinity,1]}')["a"]
        self.assertEqual([value[0] != value[0], *value[1:]], [True, float("-inf"), 1])
        self.assertEqual(self.seen("", b"[1]"), [1])
        self.assertEqual(self.seen(JSON, b'{"a":'), '{"a":')
        self.assertEqual(self.seen("text/plain; charset=latin-1", b"\xe9"), "é")
        self.assertEqual(self.seen("text/plain", b"abc\xc3"), "abc", "a stream that was cut")
        self.assertEqual(self.seen("text/plain", b"\xff"), b"\xff")
        self.assertEqual(self.seen("text/plain; charset=no-such", b"x"), b"x")
        self.assertEqual(self.seen("image/png", b"\x89PNG"), b"\x89PNG")
        self.assertEqual(self.seen(JSON, b"[" * 100_000), "[" * 100_000)

    def test_bytes_keep_their_type_and_everything_else_is_json(self):
        body = ("text/plain", b"x")
        for returned, expected in (
            (b"kept", ("text/plain", b"kept")),
            (bytearray(b"kept"), ("text/plain", b"kept")),
            ("kept", (JSON, b'"kept"')),
            ([1, "\ud800"], (JSON, b'[1,"\\ud800"]')),
            ({"a": (NAN, 1.5)}, (JSON, b'{"a":[null,1.5]}')),
            (0, (JSON, b"0")),
            (None, None),
        ):
            with self.subTest(returned=returned):
                self.assertEqual(self.redact(lambda *_, kept=returned: kept, body), [expected])

    def test_a_hook_that_fails_costs_its_body_and_shows_nothing_of_it(self):
        def hook(body, _info):
            if body == "fails":
                raise ValueError(f"cannot redact {body} SECRET")
            return {1, 2} if body == "no json" else body

        bodies = [("text/plain", each) for each in (b"fails", b"no json", b"fine")]
        self.assertEqual(
            self.redact(hook, *bodies), ["hook_failed", "hook_failed", (JSON, b'"fine"')]
        )
        ((level, line),) = self.host.lines
        self.assertEqual(level, "warn")
        place = r"ValueError\n +at hook \(.*test_redaction\.py:\d+\)$"
        self.assertRegex(line, rf"\(logged once\): redact\(\) failed, .*: {place}")
        self.assertNotIn("SECRET", line)

    def test_what_is_too_long_is_not_kept(self):
        self.assertEqual(
            self.redact(lambda *_: bytes(33 * 1024 * 1024), ("text/plain", b"x")), ["hook_failed"]
        )

    def test_what_is_no_exception_in_a_hook_costs_its_body(self):
        class OwnError(BaseException):
            pass

        for kind in (SystemExit, KeyboardInterrupt, asyncio.CancelledError, OwnError):
            with self.subTest(kind=kind):

                def leaves(*_, kind=kind):
                    raise kind

                async def leaves_later(*_, kind=kind):
                    raise kind

                for hook in (leaves, leaves_later):
                    self.assertEqual(self.redact(hook, (JSON, b"1")), ["hook_failed"])
                self.assertEqual(
                    self.redact(leaves_later, (JSON, b"1"), on_loop=True), ["hook_failed"]
                )

    def test_the_log_names_the_last_frames_of_a_recursion(self):
        # Python 3.13.0 never ends a recursion of a function that takes `*_`.
        def hook(body, info):
            return hook(body, info)

        self.assertEqual(self.redact(hook, (JSON, b"1")), ["hook_failed"])
        ((_, line),) = self.host.lines
        self.assertEqual(line.count("at hook"), 50)

    def test_an_error_after_the_time_limit_shows_no_text(self):
        async def hook(*_):
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("SECRET")

        with self.assertNoLogs("asyncio"):
            self.redact(hook, (JSON, b"1"), limit_s=0.01, on_loop=True)
            gc.collect()

    def test_the_mark_has_the_hook_only_while_it_has_the_thread(self):
        self.redact(lambda body, _: body, (JSON, b"1"), (JSON, b"2"))
        self.assertEqual(set(self.marks), {(1, 9), (1, 0)})
        self.assertEqual(self.marks[-1], (1, 0))

    def test_an_async_hook_is_awaited_with_and_without_a_loop(self):
        async def hook(body, _info):
            await asyncio.sleep(0)
            return {"a": body}

        for on_loop in (False, True):
            with self.subTest(on_loop=on_loop):
                self.marks.clear()
                self.assertEqual(
                    self.redact(hook, (JSON, b"1"), on_loop=on_loop), [(JSON, b'{"a":1}')]
                )
                self.assertEqual(
                    [holder for _, holder in self.marks], [9, 0] * (len(self.marks) // 2)
                )
                self.assertGreater(len(self.marks), 4, "each step is marked")

    def test_an_async_hook_fails_by_its_own_errors_timeouts_included(self):
        async def hook(body, _info):
            raise TimeoutError

        self.assertEqual(self.redact(hook, (JSON, b"1"), (JSON, b"2")), ["hook_failed"] * 2)

    def test_a_hook_that_awaits_for_ever_costs_its_bodies(self):
        async def hook(body, _info):
            await asyncio.Event().wait()

        for on_loop in (False, True):
            with self.subTest(on_loop=on_loop):
                began = time.monotonic()
                results = self.redact(
                    hook, (JSON, b"1"), (JSON, b"2"), limit_s=0.2, on_loop=on_loop
                )
                self.assertEqual(results, ["hook_timeout", "hook_timeout"])
                self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(len(self.host.texts("redact() did not end within 0.2 s")), 2)

    def test_a_synchronous_hook_costs_microseconds(self):
        began = time.perf_counter()
        for _ in range(200):
            self.redact(lambda body, _: body, (JSON, b'{"a":1}'))
        self.assertLess((time.perf_counter() - began) / 200, 5e-3)
