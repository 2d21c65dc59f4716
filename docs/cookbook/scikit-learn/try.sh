curl -H 'content-type: application/json' \
  -d '{"data": [[0.02, -0.04, 0.06, 0.02, 0.01, 0.03, -0.01, 0, 0.04, 0.02], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]}' \
  localhost:5001/score -w '\n'
