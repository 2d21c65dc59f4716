"""Starts processes in the ways of the standard library."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys


def init():
    pass


def run(raw_data):
    return ways[json.loads(raw_data)]()


def pool(method):
    with multiprocessing.get_context(method).Pool(2) as processes:
        return processes.map(abs, [-1, -2, -3])


def fork_and_return():
    print("before the fork")
    child = os.fork()
    if child == 0:
        print("in the child")
        return "of the child"
    os.waitpid(child, 0)
    return "of the parent"


def fork_and_exit():
    child = os.fork()
    if child == 0:
        sys.exit(3)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def writes_to_pipe():
    code = "import os; os.write(3, b'garbage')"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode


def terminates():
    process = multiprocessing.get_context("fork").Process(target=sleep)
    process.start()
    process.terminate()
    process.join(10)
    return process.exitcode


def counts_in_child():
    """Forks where another thread might hold the lock of the metrics."""
    from scoring_server import metrics
    from scoring_worker.port import port

    counter = metrics.counter("forks_total", "forks")
    with port.metrics.lock:
        child = os.fork()
    if child == 0:
        signal.alarm(5)
        counter.inc()
        metrics.gauge("children", "children").set(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def sleep():
    import time

    time.sleep(1000)


ways = {
    "fork": lambda: pool("fork"),
    "spawn": lambda: pool("spawn"),
    "os.fork": fork_and_return,
    "sys.exit": fork_and_exit,
    "close": lambda: os.close(3),
    "child writes": writes_to_pipe,
    "terminate": terminates,
    "counts": counts_in_child,
    "garbage": lambda: os.write(3, b"\xff\xff\xff\xff"),
    "no mark": lambda: os.ftruncate(4, 0),
}
