"""A host for tests: it keeps what a worker sends."""

import importlib
import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from scoring_worker.context import current_request
from scoring_worker.messages import Request
from scoring_worker.port import Port, port

PACKAGES = str(Path(__file__).parents[3] / "server/python/packages")


def of_packages(name):
    """A module of server/python/packages, whatever the environment provides."""
    top = name.partition(".")[0]
    theirs = {each: sys.modules.pop(each) for each in list(sys.modules) if _is_below(each, top)}
    sys.path.insert(0, PACKAGES)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(PACKAGES)
        for each in [each for each in sys.modules if _is_below(each, top)]:
            del sys.modules[each]
        sys.modules.update(theirs)


def _is_below(name, top):
    return name == top or name.startswith(f"{top}.")


class RecordingHost:
    """Keeps calls of the methods of ToHost."""

    def __init__(self):
        self.collected = []
        self.counts = {}
        self.reports = []
        self.answers = []
        self.lines = []
        self.reported = threading.Event()

    def collect(self, collection, head, rows):
        self.collected.append((collection, head, json.loads(rows)))

    def not_collected(self, counts):
        for each in counts:
            key = each["collection"], each["reason"]
            self.counts[key] = self.counts.get(key, 0) + each["count"]
        self.reported.set()

    def metrics(self, message):
        self.reports.append(json.loads(json.dumps(message, allow_nan=False)))
        self.reported.set()

    def redacted(self, ident, heads, bodies):
        self.answers.append((ident, heads, list(bodies)))

    def log(self, message):
        self.lines.append((message["level"], message["msg"]))

    def line(self, level, text):
        self.lines.append((level, text))

    def texts(self, part):
        """Lines that have this part."""
        return [text for _, text in self.lines if part in text]


@contextmanager
def connected(rates=None, others=1, collection=True):
    """The port of this process, connected to a host that keeps all that is sent."""
    host, finders = RecordingHost(), list(sys.meta_path)
    settings = {
        "rates": rates or {},
        "others": others,
        "workspace": "s/g/w",
        "endpoint": "ep",
        "modelVersions": {"m": "7"},
    }
    start = {"nonFinite": "string", **({"collection": settings} if collection else {})}
    port.connect(start, host, host.line)
    port.open()
    try:
        yield host
    finally:
        port.__dict__.update(Port().__dict__)
        sys.meta_path[:] = finders


@contextmanager
def request(ident="of-the-request", protocol=0):
    """A request whose code runs."""
    token = current_request.set(
        Request(1, protocol, "POST", "/score", "", ident, "", "trace", "", [], b"")
    )
    try:
        yield
    finally:
        current_request.reset(token)
