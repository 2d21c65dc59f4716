curl -d '{"temperature": 31}' localhost:5001/score -w '\n'
