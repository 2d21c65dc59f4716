import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readLine, type Block, type Payload } from '../../../server/collection/encode/block.ts';

/** An empty folder, removed after the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'collection-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A block of one line, as it is read from disk. */
export function block(n: number, payload?: Payload, hour = '2026-03-05T18'): Block {
  const text = `{"specversion":"1.0","id":"${n}","source":"/a\\"b","type":"azureml.inference.rows","datacontenttype":"application/json","time":"${hour}:16:25Z","data":[{"n":${n}}]}`;
  const made = readLine(Buffer.from(`${text}\n`), payload);
  assert.ok(made !== undefined);
  return made;
}

/** A block of one line of the v1 API. */
export function rowsBlock(rows: unknown, csvname = 'inputs'): Block {
  const text = `{"specversion":"1.0","id":"1","source":"/a","type":"azureml.inference.inputs","datacontenttype":"application/json","time":"2026-03-05T18:16:25Z","data":${JSON.stringify(rows)},"layout":"csv-v1","csvname":"${csvname}"}`;
  const made = readLine(Buffer.from(`${text}\n`), undefined);
  assert.ok(made?.v1 === true);
  return made;
}

/** The ids of a block's lines. */
export const idsOf = (data: Buffer): string[] =>
  Array.from(data.toString().matchAll(/^\{"specversion":"1\.0","id":"([^"]*)"/gm), ([, id = '']) => id);
