curl -N -d '{"text": "one two"}' localhost:5001/score
curl -N -d '{"text": "one two"}' -H 'accept: text/event-stream' localhost:5001/score
