curl -d '{"amount": 120}' localhost:5001/score -w '\n'
curl -d '{"amount": 2000}' localhost:5001/score -w '\n'
