"""Load by requests.Session: load.py <url> <connections> <options>. test/front/clients.ts has the protocol of its input."""

import json
import sys
import threading
import time
from collections import Counter

import requests

url, connections, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
tally = Counter()
running = threading.Event()


def one(session):
    answer = session.post(url, json=[1])
    if answer.status_code == 200 and answer.text != "[1]":
        tally[f"wrong body {answer.text}"] += 1
        return
    tally[str(answer.status_code)] += 1
    if answer.status_code not in (429, 503):
        return
    if "Retry-After" not in answer.headers:
        tally[f"{answer.status_code} without Retry-After"] += 1
        return
    time.sleep(int(answer.headers["Retry-After"]))


def client(session):
    while True:
        try:
            one(session)
        except requests.RequestException as error:
            tally[f"error {error}"] += 1
        if not running.is_set():
            return


def opened():
    session = requests.Session()
    # Variables of the machine, as REQUESTS_CA_BUNDLE, would win over the options.
    session.trust_env = False
    session.headers.update(options.get("headers", {}))
    session.verify = options.get("ca", True)
    if "certificate" in options:
        session.cert = (options["certificate"], options["privateKey"])
    return session


# One session a thread keeps one connection each, from one start to the next.
sessions = [opened() for _ in range(connections)]
threads = []
for line in sys.stdin:
    if line == "start\n":
        running.set()
        threads = [threading.Thread(target=client, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
    elif line == "stop\n":
        running.clear()
        for thread in threads:
            thread.join()
        print(json.dumps(tally), flush=True)
        tally.clear()
