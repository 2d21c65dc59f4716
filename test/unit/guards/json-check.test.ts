import assert from 'node:assert/strict';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { isJson } from '../../../server/guards/json-check.ts';
import { LARGEST_DATA } from '../../../server/collection/encode/place-data.ts';
import { readData } from '../../../server/collection/encode/payload-data.ts';
import { Body } from '../../../server/collection/records.ts';

const MiB = 1024 * 1024;

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const TEXTS = [
  '{"a":[1,-0,0.5,1e3,1E+3,-2.5e-7,true,false,null,"\\u00fcx\\n\\"\\\\/"],"":{}, "b" : [ ] }',
  ' \t\r\n[ 1 , [ ] , { } ]\n',
  '"ü😀"',
  '0',
  '-',
  '01',
  '1.',
  '.5',
  '1e',
  '+1',
  '-a',
  '1 2',
  '',
  ' ',
  '[1,]',
  '[,1]',
  '{"a":1,}',
  '{"a"}',
  '{a:1}',
  '{"a":1 "b":2}',
  '[1}',
  '{"a":1]',
  '[',
  '{',
  '"',
  '"\\x"',
  '"\\u12g4"',
  '"\\u12',
  '"\\',
  '"a\nb"',
  '"a\u007fb"',
  'nul',
  'nulls',
  'NaN',
  '[Infinity]',
  '\ufeff1',
  '{"a":{"b":[{"c":null}]}}x',
];

test('a text is JSON where JSON.parse takes it, and after any change of a character', () => {
  let valid = 0;
  for (const text of TEXTS) {
    assert.equal(isJson(Buffer.from(text)), parses(text), JSON.stringify(text));
    for (let at = 0; at <= text.length; at++)
      for (const other of ['', '"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\n', '0', '9', '-', '.', 'e', 'u', 'x', '\u0001'])
        for (const to of [at, at + 1]) {
          const changed = (text.slice(0, at) + other + text.slice(to)).toWellFormed();
          assert.equal(isJson(Buffer.from(changed)), parses(changed), JSON.stringify(changed));
          valid += Number(parses(changed));
        }
  }
  assert.ok(valid > 500, `${valid}`);
});

test('JSON deeper than readers can bear is a text', () => {
  const nested = (levels: number): Buffer => Buffer.from('[{"a":'.repeat(levels / 2) + '1' + '}]'.repeat(levels / 2));
  assert.ok(isJson(nested(1000)) && !isJson(nested(1002)));
  for (const open of ['[', '{"a":']) assert.ok(!isJson(Buffer.from(open.repeat(100_000))));
  const data = readData('application/json', nested(1002), Body.kept);
  assert.ok('json' in data && String(data.json).startsWith('"[{'));
});

test('a body of a client that no worker has parsed takes no more memory than its bytes', async () => {
  const module = (path: string): string => JSON.stringify(new URL(`../../../server/collection/${path}`, import.meta.url).href);
  const code = `
    const { parentPort } = require('node:worker_threads');
    Promise.all([import(${module('encode/payload-data.ts')}), import(${module('records.ts')})]).then(([{ readData }, { Body }]) => {
      const body = Buffer.from('[' + '[],{},'.repeat(${(16 * MiB) / 6}) + '1]');
      const { bytes } = readData('application/json', body, Body.kept);
      parentPort.postMessage(bytes === body.length);
    });`;
  const thread = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 64 } });
  const answer = await new Promise((resolve) => thread.once('message', resolve).once('error', resolve));
  assert.equal(answer, true);
  await thread.terminate();
});

test('a text that grows beyond the limit as JSON is left out before it is made', () => {
  const control = (bytes: number, byte: number) => readData('text/plain', Buffer.alloc(bytes, byte), Body.kept);
  assert.deepEqual(control(9 * MiB, 1), { json: '', bytes: 54 * MiB + 2 });
  assert.deepEqual(control(25 * MiB, 10), { json: '', bytes: 50 * MiB + 2 });
  const fits = control(9 * MiB, 0x61);
  assert.ok('json' in fits && fits.json.length === 9 * MiB + 2 && fits.bytes <= LARGEST_DATA);
});
