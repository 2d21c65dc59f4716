cd "$(dirname "$0")"
curl -F image=@red.png localhost:5001/score -w '\n'
curl -H 'content-type: image/png' --data-binary @blue.png localhost:5001/score -w '\n'
curl -d 'no image' localhost:5001/score -w '\n'
