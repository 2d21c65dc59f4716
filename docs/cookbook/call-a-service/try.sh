curl -d '{"customer": "ada"}' localhost:5001/score -w '\n'
curl -d '{"customer": "eve"}' localhost:5001/score -w ' %{http_code}\n'
