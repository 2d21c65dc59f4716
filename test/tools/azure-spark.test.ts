import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '../collection/start-collecting.ts';
import { folder } from '../set-up/folder.ts';
import { runProgram, whyNoPython } from '../set-up/python.ts';
import { whyNoJava } from './java.ts';

const READER = fileURLToPath(new URL('readers/read_days.py', import.meta.url));

/** Rows of baselines in Python's JSON, which writes 1.0 for a float that is whole. */
const BASELINES = `{
  "model_inputs": [{"age": 30, "weight": 70.0, "height": 1.0, "smoker": true, "name": "a", "person_id": 1,
    "person_address_city": "x", "person_address_floor": 1.0, "bmi": 20.0}],
  "model_outputs": [{"petal_length": 1.0, "petal_width": 2.0}]
}`;

interface Read {
  readonly files: number;
  readonly types: Record<string, string>;
  readonly baseline: Record<string, string>;
  readonly dotted: readonly string[];
  readonly nested: readonly string[];
  readonly alike: boolean;
  readonly rows: readonly Record<string, unknown>[];
}

const HOUR_S = 3600;

test(
  "Spark reads days of collected data as Azure's monitoring does, with the types of its baseline",
  { skip: whyNoPython() ?? whyNoJava() ?? false },
  async (t) => {
    const dir = folder();
    const midnight = Date.UTC(2026, 2, 6) / 1000;
    const times = [midnight - 2 * HOUR_S, midnight - 1, midnight, midnight + HOUR_S];
    // Two lives of the server: the columns of a file begin anew, whole numbers first or last.
    for (const weights of [
      [70, 70.5],
      [80.25, 80],
    ]) {
      const server = await serve(t, 'collects-features.ts', { MDC_DIR: dir, MDC_COLLECTIONS: 'model_inputs,model_outputs' });
      for (const at of times) for (const weight of weights) assert.equal((await server.score({ at, weight, height: 1 })).status, 200);
      await server.drain();
    }
    const baselines = join(folder(), 'baselines.json');
    writeFileSync(baselines, BASELINES);
    const read = JSON.parse(await runProgram(READER, [join(dir, 'ep', 'blue'), baselines])) as Record<string, Read>;
    const rowsAt = (collection: string, index: number): Record<string, unknown>[] => {
      const { files, types, baseline, dotted, nested, alike, rows = [] } = read[collection] ?? {};
      assert.deepEqual([dotted, nested, alike], [[], [], false], collection);
      assert.deepEqual(types, { ...baseline, correlationid: 'string' }, collection);
      // Two files an hour, two requests a file, two rows a request.
      assert.deepEqual([files, rows.length], [2 * times.length, 8 * times.length], collection);
      return rows.filter(({ correlationid }) => correlationid === `at-${midnight}_${index}`);
    };
    const ids = { person_id: 7, correlationid: `at-${midnight}_0` };
    const address = { person_address_city: 'x', person_address_floor: 1.5 };
    const firsts = rowsAt('model_inputs', 0);
    assert.deepEqual(new Set(firsts.map(({ weight }) => weight)), new Set([70, 70.5, 80.25, 80]));
    for (const { weight: _, ...rest } of firsts)
      assert.deepEqual(rest, { age: 41, height: 1, smoker: true, name: 'é "a"', ...ids, ...address, bmi: null });
    for (const { weight, name, bmi } of rowsAt('model_inputs', 1)) assert.deepEqual([weight, name, bmi], [null, null, 22.5]);
    for (const row of rowsAt('model_outputs', 0))
      assert.deepEqual(row, { petal_length: 1, petal_width: 2, correlationid: `at-${midnight}_0` });
    for (const row of rowsAt('model_outputs', 1)) assert.deepEqual([row['petal_length'], row['petal_width']], [null, 4]);
  },
);
