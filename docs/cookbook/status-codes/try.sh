for body in '{"amount": 40}' '{"amount": 5000}' '{"amount": "much"}' '{"amount": -1}'; do
  curl -d "$body" localhost:5001/score -w ' %{http_code}\n'
done
