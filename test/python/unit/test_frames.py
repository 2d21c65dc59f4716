"""The golden bytes of test/unit/ipc/golden: one frame of each kind, both directions."""

from __future__ import annotations

import json
import re
import socket
import sys
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
HOME = Path(__file__).parents[3]
sys.path.insert(0, str(HOME / "server/python"))

from scoring_worker import kinds  # noqa: E402
from scoring_worker.answers import Answer  # noqa: E402
from scoring_worker.failures import Failure  # noqa: E402
from scoring_worker.frames import FrameError, FrameReader  # noqa: E402
from scoring_worker.host import RAISED, ToHost  # noqa: E402
from scoring_worker.messages import read_credit, read_request, read_start  # noqa: E402
from scoring_worker.pipe_writer import PipeWriter  # noqa: E402

GOLDEN = HOME / "test/unit/ipc/golden"
ROW = re.compile(r" *\d+  ((?:[0-9a-f]{2} )+) *.*")
MODEL = {
    "name": "ridge",
    "inputs": [{"name": "x", "type": "float32", "dims": ["n", 10]}],
    "outputs": [{"name": "y", "type": "float32", "dims": ["n", 1]}],
    "provider": "cpu",
    "intraOpThreads": 2,
    "ortVersion": "1.30.0",
    "loadSeconds": 0.25,
    "batching": {"merges": True, "reason": "proven"},
}
READY = {
    "rawHttp": False,
    "parsesJson": True,
    "redacts": False,
    "closes": True,
    "concurrency": 32,
    "models": [MODEL],
}
LINE = {
    "level": "info",
    "msg": "hello",
    "requestId": "req-1",
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "fields": {"n": 1},
}
COUNTS = [1, 1, *[0] * 10]
METRICS = {
    "defined": [{"kind": "counter", "name": "tokens_total", "help": "tokens", "labels": ["kind"]}],
    "changes": [
        {"name": "tokens_total", "labels": ["in"], "value": 5},
        {
            "name": "inference_batch_rows",
            "labels": ["ridge", "idle"],
            "value": 3,
            "counts": COUNTS,
        },
    ],
}
INFERENCE = {"model": "ridge", "at": 1700000000001, "ms": 0.5, "rows": 8}
TIMES = {"at": 1700000000000.5, "ms": 2.5, "inferences": [INFERENCE]}
KEPT = {"contentType": "application/json", "bytes": 2}
STREAM = Answer(503, headers=[("content-type", "text/plain"), ("x-a", "b")])
NOT_COLLECTED = [{"collection": "model_inputs", "reason": "sampled_out", "count": 3}]
WRITES: dict[str, Any] = {
    "ready": lambda to: to.ready(READY),
    "startFailed": lambda to: to.start_failed("init_failed", "init() raised"),
    "reply": lambda to: to.reply(7, Answer(200, b'{"y":[1]}'), 1.5),
    "failure": lambda to: to.failure(7, "run_failed", "Error: no"),
    "stream": lambda to: to.stream(7, STREAM, RAISED),
    "chunk": lambda to: to.chunk(7, b"some text"),
    "end": lambda to: to.end(7),
    "broken": lambda to: to.broken(7, "run_failed", "Error: no"),
    "log": lambda to: to.log(LINE),
    "cancelled": lambda to: to.cancelled(7),
    "returned": lambda to: to.returned(7),
    "metrics": lambda to: to.metrics(METRICS),
    "times": lambda to: to.times(7, TIMES),
    "collect": lambda to: to.collect(
        "model_inputs", {"id": "req-1", "time": 1700000000000}, b'[{"x":1}]'
    ),
    "notCollected": lambda to: to.not_collected(NOT_COLLECTED),
    "redacted": lambda to: to.redacted(9, [KEPT, "hook_failed", None], [b"{}"]),
    "loaded": lambda to: to.loaded(MODEL),
    "trying": lambda to: to.trying("ridge"),
}
HOST_KINDS = {"start", "score", "cancel", "credit", "redact"}


def golden(name: str) -> bytes:
    """The bytes of the frame."""
    rows = map(ROW.fullmatch, (GOLDEN / f"{name}.txt").read_text().splitlines())
    return bytes.fromhex("".join(row[1] for row in rows if row))


def written(write: Any) -> bytes:
    """What a call of ToHost writes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        write(ToHost(PipeWriter(ours)))
        ours.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: theirs.recv(65536), b""))


def read(data: bytes, *, by: int = 1 << 20) -> list[tuple[int, int, bytes]]:
    """The frames of these bytes, which arrive in pieces."""
    reader = FrameReader()
    pieces = [data[at : at + by] for at in range(0, len(data), by)]
    return [(kind, i, bytes(payload)) for each in pieces for kind, i, payload in reader.feed(each)]


def payload_of(name: str) -> bytes:
    """The payload of the one frame."""
    ((_, _, payload),) = read(golden(name))
    return payload


class Golden(unittest.TestCase):
    """Every file is written, or read, as it is."""

    def test_every_kind_of_a_worker_is_written_as_the_golden_bytes_have_it(self) -> None:
        for name, write in WRITES.items():
            with self.subTest(name):
                self.assertEqual(written(write).hex(" "), golden(name).hex(" "))

    def test_no_file_is_without_a_test(self) -> None:
        self.assertEqual({each.stem for each in GOLDEN.glob("*.txt")}, HOST_KINDS | set(WRITES))

    def test_frames_are_cut_the_same_in_whatever_pieces_they_arrive(self) -> None:
        data = b"".join(golden(name) for name in sorted(HOST_KINDS))
        whole = read(data)
        self.assertEqual([kind for kind, _, _ in whole], [3, 4, 5, 2, 1])
        for by in (1, 2, 7, 8, 9, 10, 100):
            with self.subTest(by=by):
                self.assertEqual(read(data, by=by), whole)

    def test_start_is_read(self) -> None:
        start = read_start(payload_of("start"))
        self.assertEqual(start["entryScript"], "/srv/score.ts")
        self.assertEqual(start["collection"]["modelVersions"], {"ridge": "3"})
        self.assertNotIn("version", start)

    def test_score_is_read(self) -> None:
        request = read_request(7, payload_of("score"))
        self.assertEqual((request.ident, request.protocol, request.method), (7, 1, "POST"))
        self.assertEqual(request.url, "/v2/models/ridge/infer")
        self.assertEqual((request.content_type, request.id), ("application/json", "req-1"))
        self.assertEqual((request.client_request_id, request.traceparent), ("", ""))
        self.assertEqual(request.trace_id, "0af7651916cd43dd8448eb211c80319c")
        self.assertEqual(request.raw_headers, ["Host", "localhost"])
        self.assertEqual(request.body, b'{"inputs":[]}')

    def test_credit_and_cancel_are_read(self) -> None:
        self.assertEqual(read_credit(payload_of("credit")), 65536)
        self.assertEqual(read(golden("cancel")), [(kinds.CANCEL, 7, b"")])


class Wrong(unittest.TestCase):
    """What is no frame, or not of its kind, is refused."""

    def test_a_length_below_five_is_no_frame(self) -> None:
        with self.assertRaisesRegex(FrameError, "a frame of 4 bytes: expected at least 5"):
            read(b"\x04\0\0\0" + b"\0" * 5)

    def test_payloads_of_another_form_are_refused(self) -> None:
        for call in (
            lambda: read_credit(b"123"),
            lambda: read_request(1, b"\0"),
            lambda: read_request(1, b"\0\xff\0\0\0head"),
            lambda: read_request(1, b"\x04\0\0\0\0"),
            lambda: read_request(1, b"\0\x02\0\0\0a\n"),
            lambda: read_start(b"{"),
            lambda: read_start(b"[]"),
            lambda: read_start(b" " * (kinds.MOST_MESSAGE_BYTES + 1)),
            lambda: read_start(b'{"version":2,"entryScript":7}'),
        ):
            self.assertRaises(FrameError, call)

    def test_another_version_is_named(self) -> None:
        for version, shown in ((99, "99"), (None, "none")):
            text = json.dumps({} if version is None else {"version": version}).encode()
            with self.assertRaisesRegex(Failure, f"has version {shown} of their.*expected 2"):
                read_start(text)

    def test_a_text_that_is_too_long_loses_its_middle(self) -> None:
        data = written(lambda to: to.failure(7, "run_failed", "a" * 5_000_000 + "the end"))
        self.assertLess(len(data), kinds.MOST_MESSAGE_BYTES)
        self.assertTrue(data.endswith(b'the end"}'))


class Numbers(unittest.TestCase):
    """kinds.py has the numbers of server/ipc."""

    def test_kinds_and_limits_equal_those_of_the_host(self) -> None:
        ipc = HOME / "server/ipc"
        text = (ipc / "kinds.ts").read_text()
        host, worker = re.findall(r"Kind = \{(.*?)\} as const", text, re.DOTALL)
        both = dict(re.findall(r"(\w+): (\d+)", f"{host} {worker}"))
        expected = {_constant(name): int(number) for name, number in both.items()}
        consts = re.findall(r"export const (\w+) = ([\d_* ]+);", text)
        consts += re.findall(r"export const (\w+) = ([\d_* ]+);", (ipc / "limits.ts").read_text())
        expected |= {name: eval(value) for name, value in consts}
        protocols = re.search(r"numbers = \{([^}]*)\}", (ipc / "score-head.ts").read_text())
        assert protocols is not None
        for name, number in re.findall(r"([\w-]+)'?: (\d)", protocols[1]):
            expected["PROTOCOL_" + name.upper().replace("-", "_")] = int(number)
        ours = {name: value for name, value in vars(kinds).items() if name.isupper()}
        self.assertEqual(ours, expected)


def _constant(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).upper()


if __name__ == "__main__":
    unittest.main()
