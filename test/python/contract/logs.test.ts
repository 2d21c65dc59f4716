import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ServerProcess } from '../../e2e/start-server.ts';
import { pythons, SCRIPTS, skip, startOurs } from './contract.ts';
import { exchange } from './exchange.ts';
import { Peer } from './peer.ts';

interface Written {
  readonly what: string;
  readonly text: string;
  /** The peer has no such line: why ours has one. */
  readonly because?: string;
}

const dropped = 'every sample logs so, and the peer has no handler for it';
const written: Written[] = [
  { what: 'print()', text: 'printed hello' },
  { what: 'print() to stderr', text: 'printed to stderr hello' },
  { what: 'print() without an end', text: 'without an end hello' },
  { what: 'sys.stdout.write()', text: 'written hello' },
  { what: 'logging.info()', text: 'root info hello', because: dropped },
  { what: 'logging.warning()', text: 'root warning hello' },
  { what: 'info of a logger', text: 'info hello', because: dropped },
  { what: 'a warning of a logger', text: 'warning hello' },
  { what: 'an error of a logger', text: 'error hello' },
  { what: 'warnings.warn()', text: 'warned hello' },
  { what: 'an exception of a logger', text: 'ValueError: caught hello' },
];

describe('the log of a script', { skip }, () => {
  let peer: Peer;
  let ours: ServerProcess;
  before(async () => {
    const { peer: withPeer, plain } = await pythons();
    peer = await Peer.start('log.py', { python: withPeer, cwd: SCRIPTS });
    ours = startOurs('log.py', plain);
    await Promise.all([peer.ready(), ours.ready()]);
    for (const port of [peer.port, await ours.port()])
      for (const body of ['hello', 'fail', 'not json']) await exchange(port, { body, headers: { 'x-request-id': `id of ${body}` } });
    await peer.said('POST /score 500');
    await ours.line((line) => line['requestId'] === 'id of not json' && line['route'] === '/score');
  });
  after(() => Promise.all([peer.stop(), ours.stop()]));

  const lineWith = (text: string): Promise<Record<string, unknown>> => ours.line((line) => Object.values(line).join('\n').includes(text));

  for (const text of ['printed at import', 'printed in init()'])
    it(`has "${text}"`, async () => {
      await peer.said(text);
      await lineWith(text);
    });

  for (const { what, text, because } of written)
    it(`has ${what}, with the id of the request`, async () => {
      assert.equal(
        peer.log.includes(`\u0020${text}`) || peer.log.includes(`\n${text}`) || peer.log.includes(`:${text}`),
        because === undefined,
        peer.log,
      );
      assert.equal((await lineWith(text))['requestId'], 'id of hello');
    });

  it('drops debug lines', () => {
    assert.ok(!peer.log.includes('debug hello'));
    assert.ok(!ours.lines.some((line) => JSON.stringify(line).includes('debug hello')));
  });

  it('has the traceback of what run() raised', async () => {
    await peer.said("KeyError: 'the reason'");
    const line = await lineWith("KeyError: 'the reason'");
    assert.equal(line['requestId'], 'id of fail');
    assert.match(JSON.stringify(line), /log\.py.*line \d+, in run/);
  });

  it('names what has no JSON form', async () => {
    await peer.said('Object of type set is not JSON serializable');
    // The message of ours also names the place, and what to return.
    const line = await lineWith('run() returned a set at `result`, which has no JSON form: return list(value)');
    assert.equal(line['requestId'], 'id of not json');
  });

  it('has one line for each request', () => {
    for (const text of ['POST /score 200', 'POST /score 500']) assert.ok(peer.log.includes(text));
    const requests = ours.lines.filter((line) => line['route'] === '/score').map((line) => line['status']);
    assert.deepEqual(requests, [200, 500, 500]);
  });
});
