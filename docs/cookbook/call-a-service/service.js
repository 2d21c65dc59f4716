/** Stands for the service that score.ts calls. The first answer is a failure. */
import { createServer } from 'node:http';

const PORT = 5002;
const visits = new Map([
  ['ada', 12],
  ['bob', 3],
]);
let calls = 0;

const server = createServer((request, response) => {
  calls++;
  const found = visits.get(request.url?.split('/').at(-1) ?? '');
  if (calls === 1) response.writeHead(503).end();
  else if (found === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ visits: found }));
});
server.listen(Number(process.env['PORT'] ?? PORT), '127.0.0.1', () => console.log(server.address()));
