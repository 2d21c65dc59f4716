/**
 * Takes telemetry over TLS and discards it. Its own cost is not counted. `node
 * telemetry-sink-process.ts PORT KEY CERTIFICATE`
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [port, key = '', cert = ''] = process.argv.slice(2);
createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
  request.resume().on('end', () => response.end());
}).listen(Number(port), '127.0.0.1');
