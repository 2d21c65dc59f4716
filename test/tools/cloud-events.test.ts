import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { files, serve } from '../collection/start-collecting.ts';
import { folder } from '../set-up/folder.ts';
import { runProgram, whyNoPython } from '../set-up/python.ts';
import { runJava, whyNoJava } from './java.ts';

const READERS = fileURLToPath(new URL('readers/', import.meta.url));

/** The lines of a server that was sent what clients may send, ugly things first. */
async function linesOf(t: TestContext, env: Record<string, string>): Promise<string[]> {
  const dir = folder();
  const server = await serve(t, 'collects.ts', { MDC_DIR: dir, MDC_CAPTURE_HEADERS: 'x-tenant,x-forwarded-client-cert-chain', ...env });
  const ugly = { 'x-tenant': 'a\tb "c" \u0085é', 'x-forwarded-client-cert-chain': '%41' };
  const send = async (path: string, type: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<void> => {
    const answer = await fetch(await server.url(path), { method: 'POST', body, headers: { 'content-type': type, ...headers } });
    await answer.text();
  };
  await send('/score?a=1&a=%zz', 'application/json', '{"many":2}', { ...ugly, 'x-request-id': 'id "1"\té' });
  await send('/score', 'application/json', '{}', ugly);
  await send('/score', 'application/json', '\ufeff{"who":true}');
  await send('/score', 'image/png', Buffer.from([0xff, 0xd8, 0, 1]));
  await send('/score', 'text/plain; charset=utf-16le', Buffer.from('über', 'utf16le'));
  await send('/score', 'application/json', '{"a"\n');
  await send('/score', 'application/json', JSON.stringify({ who: true, pad: 'x'.repeat(5_000_000) }));
  await (await fetch(await server.url('/score?a=1&a=2&__proto__=3&code=key'))).text();
  await server.drain();
  return [...files(dir)].filter(([name]) => name.endsWith('.jsonl')).flatMap(([, data]) => data.toString().split('\n').slice(0, -1));
}

const skip = whyNoPython() ?? whyNoJava() ?? false;

test('the SDKs of Python and Java read every record, and write the same of it', { skip }, async (t) => {
  const lines = [
    ...(await linesOf(t, { SERVICE_NAME: '', MDC_DEPLOYMENT: '' })),
    ...(await linesOf(t, { SERVICE_NAME: '100% "é" [x]^{y}|`z`', MDC_DEPLOYMENT: '漢 ?#<>' })),
  ];
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.length >= 40, String(events.length));
  for (const name of ['data', 'dataref', 'datainblob', 'xtenant', 'statuscode', 'modelversion', 'xforwardedclientcert'])
    assert.ok(
      events.some((event) => Object.hasOwn(event, name)),
      name,
    );
  const sources = new Set(events.map(({ source }) => source));
  assert.ok(sources.has('/services/ml-service/deployments/default') && sources.size === 2, [...sources].join(' '));
  const path = join(folder(), 'events.jsonl');
  writeFileSync(path, `${lines.join('\n')}\n`);
  const written = [await runProgram(join(READERS, 'read_events.py'), [path]), await runJava(join(READERS, 'ReadEvents.java'), [path])];
  for (const text of written) {
    const read = text.split('\n').map(readEvent);
    assert.equal(read.length, events.length);
    for (const [at, event] of events.entries()) assert.deepEqual(read[at], event);
  }
});

/** An event as an SDK writes it. Java's writes data that is no JSON in base64. */
function readEvent(line: string): Record<string, unknown> {
  const { data_base64: base64, ...event } = JSON.parse(line) as Record<string, unknown>;
  return typeof base64 === 'string' ? { ...event, data: Buffer.from(base64, 'base64').toString() } : event;
}
