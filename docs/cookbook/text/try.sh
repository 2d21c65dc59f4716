curl -d '{"texts": ["A good film!", "Too slow, and the story was dull."]}' localhost:5001/score -w '\n'
