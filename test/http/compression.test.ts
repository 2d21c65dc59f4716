import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { ScoreReply } from '../../server/scoring/scorer-types.ts';
import { parse, raw } from './raw-client.ts';
import { start } from './start.ts';

const LONG = JSON.stringify({ data: Array.from({ length: 500 }, (_, i) => i) });

async function answer(
  t: Parameters<typeof start>[0],
  accept: string | undefined,
  reply: Partial<ScoreReply> = {},
): Promise<ReturnType<typeof parse>> {
  const { port, scorer } = await start(t);
  scorer.outcome = () => ({ body: Buffer.from(LONG), ...reply });
  const header = accept === undefined ? '' : `Accept-Encoding: ${accept}\r\n`;
  return parse(await raw(port, `GET /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n`));
}

describe('compression', () => {
  it('by gzip is used where the client takes it', async (t) => {
    for (const accept of ['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip;q=1.0, identity; q=0.5, *;q=0']) {
      const { headers, body } = await answer(t, accept);
      assert.equal(headers['content-encoding'], 'gzip', accept);
      assert.equal(headers['vary'], 'Accept-Encoding');
      assert.equal(headers['content-length'], String(body.length));
      assert.ok(body.length < LONG.length);
      assert.equal(gunzipSync(Buffer.from(body, 'latin1')).toString(), LONG);
    }
  });

  it('is left where the client does not', async (t) => {
    for (const accept of [undefined, '', 'br', 'gzip;q=0', 'gzip;q=0, *', 'identity;q=1, gzip;q=0.5', '*;q=0', '*']) {
      const { headers, body } = await answer(t, accept);
      assert.equal(headers['content-encoding'], undefined, accept);
      assert.equal(headers['vary'], 'Accept-Encoding');
      assert.equal(body, LONG);
    }
  });

  it('is for whole texts of a kibibyte and more only', async (t) => {
    const plain: Partial<ScoreReply>[] = [
      { body: Buffer.alloc(1023, '1') },
      { headers: [['Content-Type', 'image/png']] },
      { headers: [] },
      { headers: [['Content-Type', 'application/jsonp']] },
      {
        headers: [
          ['Content-Type', 'text/plain'],
          ['Content-Encoding', 'br'],
        ],
      },
      { body: Readable.from([LONG]) },
    ];
    for (const reply of plain) assert.notEqual((await answer(t, 'gzip', reply)).headers['content-encoding'], 'gzip');
    for (const type of ['text/html; charset=utf-8', 'application/problem+json', 'application/x-ndjson', 'Application/JSON;charset=utf-8']) {
      assert.equal((await answer(t, 'gzip', { headers: [['Content-Type', type]] })).headers['content-encoding'], 'gzip', type);
    }
  });
});
