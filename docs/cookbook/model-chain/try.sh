curl -d '{"rows": [[1,0,2,0],[0,3,1,2]]}' localhost:5001/score -w '\n'
