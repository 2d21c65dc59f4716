"""Reads collected data as Azure's monitoring job does (component model_data_collector_preprocessor): only
<root>/YYYY/MM/DD/HH/*.jsonl, only the fields data, dataref and correlationid, one row for each item of data."""
import glob
import json
import sys

rows = []
for path in sorted(glob.glob(sys.argv[1] + "/[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*.jsonl")):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            data = event.get("data")
            if data is None:
                with open(event["dataref"], encoding="utf-8") as payload:
                    data = json.load(payload)
            assert isinstance(data, list), "data is no array: " + line
            for index, row in enumerate(data):
                assert isinstance(row, dict), "a row is no object: " + line
                assert all(not isinstance(value, (list, dict)) for value in row.values()), "a row is not flat: " + line
                rows.append({"id": "%s_%d" % (event["correlationid"], index), **row})
json.dump(rows, sys.stdout)
