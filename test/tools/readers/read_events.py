"""Reads CloudEvents with Python's SDK, a line each, and prints what the SDK writes of them."""
import sys

from cloudevents.core.formats.json import JSONFormat

with open(sys.argv[1], "rb") as lines:
    for line in lines:
        event = JSONFormat().read(None, line)
        assert event.get_time().utcoffset().total_seconds() == 0, event
        print(JSONFormat().write(event).decode("utf-8"))
