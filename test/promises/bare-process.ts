/** A server of `node:http` alone, which reads bodies and drops them. It has the probes' answers. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerMessages } from './program.ts';
import { RIGHT } from './probe-answers.ts';

export interface BareServer {
  readonly port: number;
}

answerMessages(async (): Promise<BareServer> => {
  const right = new Map<string | undefined, string>(Object.entries(RIGHT));
  const server = createServer((request, response) => {
    request.on('end', () => response.end(right.get(request.url) ?? '')).on('data', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on a port has this form
  return { port: (server.address() as AddressInfo).port };
});
