"""What a script may hold on to between init() and run(): the body names it."""

import asyncio
import os
import signal
import sqlite3
import sys
import threading

at_import = threading.get_ident()
local = threading.local()


def init():
    global in_init, database, loop
    in_init = threading.get_ident()
    local.value = "set in init()"
    database = sqlite3.connect(":memory:")
    database.execute("create table t (n)")
    database.execute("insert into t values (42)")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)


async def answer():
    await asyncio.sleep(0)
    return "awaited"


def alarm():
    signal.signal(signal.SIGUSR1, lambda *_: None)
    return "set"


LOOKS = {
    "the thread of the import": lambda: threading.get_ident() == at_import,
    "the thread of init()": lambda: threading.get_ident() == in_init,
    "the main thread": lambda: threading.current_thread() is threading.main_thread(),
    "what is local to the thread": lambda: getattr(local, "value", None),
    "a database of init()": lambda: database.execute("select n from t").fetchone()[0],
    "a loop of init()": lambda: asyncio.get_event_loop().run_until_complete(answer()),
    "asyncio.run()": lambda: asyncio.run(answer()),
    "a signal handler": alarm,
    "the name of the module": lambda: __name__,
    "the file of the module": lambda: os.path.basename(__file__),
    "the absolute file of the module": lambda: os.path.isabs(__file__),
    "the current folder": lambda: os.path.basename(os.getcwd()),
    "whether the script's folder is on the path": lambda: os.path.dirname(os.path.abspath(__file__)) in sys.path,
    "a module beside the script": lambda: __import__("beside").VALUE,
    "variables of the server": lambda: {
        name: os.environ.get(name, "").startswith("/") if name in ("AML_APP_ROOT", "AZUREML_ENTRY_SCRIPT") else os.environ.get(name)
        for name in ("AML_APP_ROOT", "AZUREML_ENTRY_SCRIPT", "WORKER_COUNT", "AML_APP_INSIGHTS_ENABLED", "AZUREML_MODEL_DIR", "MINE")
    },
    "its own module": lambda: sys.modules.get(__name__) is not None,
    "recursion of 900 levels": lambda: deep(900),
    "stdin": lambda: sys.stdin.read(),
}


def deep(levels):
    return 0 if levels == 0 else 1 + deep(levels - 1)


def run(what):
    return LOOKS[what]()
