cd "$(dirname "$0")"
curl -H 'content-type: text/csv' --data-binary @houses.csv localhost:5001/score
printf 'rooms,area\n3,many\n' | curl -s --data-binary @- localhost:5001/score -w '\n'
