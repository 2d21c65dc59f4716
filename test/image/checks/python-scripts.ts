/** An entry script of Azure's kind: a package of an index, and a pickle beside it. */
export const HOST_NAMES = `import json
import pickle

import idna
from azureml.contrib.services.aml_response import AMLResponse


def init():
    global prefix
    with open("model.pkl", "rb") as model:
        prefix = pickle.load(model)
    print("init prints")


def run(raw_data):
    print("run prints")
    try:
        return {"host": prefix + idna.encode(json.loads(raw_data)["host"]).decode()}
    except idna.IDNAError as refused:
        return AMLResponse({"refused": str(refused)}, 400, json_str=True)
`;

/** The text "www." as a pickle. */
export const PICKLE = 'Vwww.\n.';

/** Needs nothing but the standard library. The body is [what to do, a value]. */
export const DOES = `import json
import os
import subprocess
import sys
import time

subprocess.Popen(["sleep", "600"])


def init():
    pass


def run(raw_data):
    do, value = json.loads(raw_data)
    if do == "sleep":
        time.sleep(value)
    elif do == "kill":
        os.kill(os.getpid(), value)
    elif do == "describe":
        return {"prefix": sys.prefix, "uid": os.getuid()}
    return value
`;
