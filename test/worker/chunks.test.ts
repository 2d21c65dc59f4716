import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { folder } from '../set-up/folder.ts';
import { breakOf, withWorkers, type Workers } from './start-workers.ts';

async function bytesOf(workers: Workers, data: unknown, protocol: 'score' | 'open-inference' = 'score'): Promise<Buffer> {
  const { body } = await workers.begin(data, protocol === 'score' ? {} : { protocol, url: '/v2/models/scripted/infer' }).reply;
  return body instanceof Readable ? Buffer.concat((await body.toArray()) as Buffer[]) : body;
}

test('every view and buffer in the body of a Response is its bytes', () =>
  withWorkers('chunks.ts', async (workers) => {
    const floats = Buffer.from(Float32Array.from({ length: 48_000 }, (_, at) => at).buffer);
    for (const how of ['at once', 'slowly']) {
      const bytes = await bytesOf(workers, { how });
      assert.ok(bytes.equals(floats), `${how}: ${bytes.length} bytes`);
    }
  }));

test('a chunk without bytes fails the run by its number and kind', () =>
  withWorkers('chunks.ts', async (workers) => {
    const files = folder();
    for (const [how, kind] of [
      ['object', 'an object'],
      ['number', 'a number'],
      ['null', 'null'],
      ['undefined', 'undefined'],
      ['array', 'an array'],
      ['function', 'a function'],
    ]) {
      await assert.rejects(workers.score({ how, at: 'first' }), {
        code: 'run_failed',
        message: new RegExp(`chunk 1 of the body of a Response is ${kind}: expected text or bytes .*JSON\\.stringify`),
      });
      const gate = join(files, how!);
      const error = await breakOf(workers.begin({ how, at: gate }), () => writeFileSync(gate, ''));
      assert.equal(error.code, 'run_failed');
      assert.match(error.message, new RegExp(`chunk 3 of the body of a Response is ${kind}:`));
    }
    assert.equal(workers.pids.length, 1);
  }));

test('items of an iterator are text, bytes or a line of JSON', () =>
  withWorkers('chunks.ts', async (workers) => {
    assert.equal((await bytesOf(workers, { how: 'items' })).toString(), '[0,1]\nAb\0null\n{}\n5\n');
    await assert.rejects(workers.score({ how: 'a function' }), { code: 'result_not_json', message: /a function/ });
  }));

test('what run() fills again for the next request is answered as it was', () =>
  withWorkers('fills-again.ts', async (workers) => {
    const values = Array.from({ length: 12 }, (_, at) => at + 1);
    const rows = await Promise.all(values.map(async (value) => JSON.parse(String(await bytesOf(workers, value))) as number[]));
    assert.deepEqual(
      rows,
      values.map((value) => Array.from({ length: 8 }, () => value)),
    );
    const bodies = await Promise.all(values.map((value) => bytesOf(workers, 100 + value)));
    assert.deepEqual(
      bodies.map((body) => [body.length, body.every((byte) => byte === body[0]), body[0]]),
      values.map((value) => [400_000, true, 100 + value]),
    );
    const tensors = await Promise.all(
      values.map((value) => {
        const x = { name: 'x', shape: [1], datatype: 'FP32', data: [value] };
        return bytesOf(workers, { inputs: [x], parameters: { binary_data_output: true } }, 'open-inference');
      }),
    );
    for (const [at, value] of values.entries()) {
      const bytes = new Uint8Array(tensors[at]!.subarray(-4_000_000));
      assert.ok(
        new Float32Array(bytes.buffer).every((each) => each === value),
        `the tensor of ${value}`,
      );
    }
  }));
