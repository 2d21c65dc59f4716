curl -d '{"rooms": 3, "area": 80}' localhost:5001/score -w '\n'
curl -d '{"rooms": 3, "area": 80}' localhost:5001/score -w '\n'
# /metrics shows a count a moment later.
until curl -s localhost:5001/metrics | grep '^price_lookups_total.*hit'; do sleep 0.1; done
