import assert from 'node:assert/strict';
import test from 'node:test';
import { generate } from '../../../bench/load.ts';
import { parseWrk } from '../../../bench/wrk.ts';

test('the summary of wrk is read in seconds and milliseconds', () => {
  const output = 'Running 5s test @ http://127.0.0.1:1\n  Requests/sec: 10\nSUMMARY 50000 5010000 1500 9250 3\n';
  assert.deepEqual(parseWrk(output), { requests: 50_000, seconds: 5.01, p50Ms: 1.5, p99Ms: 9.25, errors: 3 });
  assert.throws(() => parseWrk('unable to connect'), /no summary but:\nunable to connect/);
});

test('nothing but this machine is loaded', async () => {
  for (const url of ['http://example.com/score', 'http://localhost:5001/score', 'http://10.0.0.1/'])
    await assert.rejects(generate(url, 'true', []), /loads 127\.0\.0\.1 only/);
});
