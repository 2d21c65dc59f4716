curl -d '{"rooms": 3, "area": 80}' localhost:5001/score -w '\n'
curl -d '{"rooms": 0, "area": "80"}' localhost:5001/score -w ' %{http_code}\n'
