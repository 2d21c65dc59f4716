curl -d '{"houses": [{"rooms": 3, "area": 80}, {"rooms": 1, "area": 30}]}' localhost:5001/score -w '\n'
