/**
 * The floor of HTTP: parses the body and answers always the same. `node bare-server.ts PORT ANSWER`
 */

import { fastify } from 'fastify';

const [port, answer = ''] = process.argv.slice(2);
const app = fastify({ bodyLimit: 100 * 1024 * 1024 });

app.get('/health/live', async () => 'ok');
app.post('/score', async (_request, reply) => reply.type('application/json').send(answer));

await app.listen({ host: '127.0.0.1', port: Number(port) });
