curl -d '{"text": "a short text", "language": "en"}' localhost:5001/score -w '\n'
# /metrics shows a count a moment later.
until curl -s localhost:5001/metrics | grep -E '^(words|text_length|longest)_'; do sleep 0.1; done
