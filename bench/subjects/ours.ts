/** This server, as `npm start` starts it. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { byName, bytes, type Case } from '../cases.ts';
import type { Answer } from '../ask.ts';
import { type HttpSubject, json, startHttp } from '../http-subject.ts';
import { ADDRESS, type Place, type Subject } from '../subject.ts';

const [, ...flags] = packageJson.scripts.start.split(' ');
const args = flags.map((flag) => (flag.endsWith('.ts') ? fileURLToPath(new URL(`../../${flag}`, import.meta.url)) : flag));

type Front = Pick<HttpSubject, 'url' | 'headers' | 'body' | 'predictions'>;

type Env = Readonly<Record<string, string>>;

/** The options that name what is served; unset: the model of the case. */
interface Served {
  readonly args?: readonly string[];
  readonly env?: Env;
}

/** Starts this server; `served` names a script, if there is one. */
export function serve(
  row: Case,
  { port, folder }: Place,
  { args: served = ['--model', row.file], env }: Served,
  front: Front,
): ReturnType<Subject['start']> {
  const base = `http://${ADDRESS}:${port}`;
  return startHttp({
    command: {
      file: process.execPath,
      args: [...args, '--host', ADDRESS, '--port', String(port), ...served],
      env: { ACCESS_LOG: 'false', ...env },
      folder,
    },
    slow: row.slow,
    ready: `${base}/health/ready`,
    health: `${base}/health/live`,
    ...front,
    url: base + front.url,
  });
}

/**
 * The model's own inputs by name; the outputs are named where the model has more than the one that
 * is asked for.
 */
const scored = (row: Case): Front => ({
  url: '/score',
  body: JSON.stringify({ inputs: byName(row), ...(row.model === 'minilm' && { outputs: [row.output] }) }),
  predictions: (answer) => (json(answer) as { outputs: Record<string, unknown> }).outputs[row.output],
});

/** The Open Inference Protocol, with tensors as bytes behind a head of JSON, both ways. */
function binary(row: Case): Front {
  const tensors = row.inputs.map(bytes);
  const inputs = row.inputs.map(({ name, datatype, shape }, index) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: tensors[index]?.byteLength },
  }));
  const text = Buffer.from(JSON.stringify({ inputs, outputs: [{ name: row.output, parameters: { binary_data: true } }] }));
  return {
    url: `/v2/models/${row.model}/infer`,
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(text.length) },
    body: Buffer.concat([text, ...tensors]),
    predictions: ({ headers, body }: Answer) => {
      const head = Number(headers['inference-header-content-length']);
      return Array.from(new Float32Array(Uint8Array.from(body.subarray(head)).buffer));
    },
  };
}

export const ours: Subject = {
  name: 'ours',
  title: 'this server, default settings, access log off',
  start: (row, place) => serve(row, place, {}, scored(row)),
};

/** The same with options of one's own. */
export const oursWith = (row: Case, place: Place, env: Readonly<Record<string, string>>): ReturnType<Subject['start']> =>
  serve(row, place, { env }, scored(row));

export const oursLogs: Subject = {
  name: 'ours-logs',
  title: 'this server, default settings, access log on (to a file)',
  start: (row, place) => serve(row, place, { env: { ACCESS_LOG: 'true' } }, scored(row)),
};

export const oursBinary: Subject = {
  name: 'ours-binary',
  title: 'this server, access log off, Open Inference Protocol with binary tensors',
  start: (row, place) => serve(row, place, {}, binary(row)),
};

/** Requests and responses of so many requests go to files. */
const collecting = (name: string, percent: number): Subject => ({
  name,
  title: `this server, access log off, model data of ${percent} % of the requests collected to files`,
  start: (row, place) =>
    serve(
      row,
      place,
      { env: { MDC_SINK: 'file', MDC_DIR: join(place.folder, 'collected'), MDC_SAMPLING_RATE: String(percent / 100) } },
      scored(row),
    ),
});

export const oursCollects: Subject = collecting('ours-collects', 100);
export const oursCollectsTenth: Subject = collecting('ours-collects-10', 10);
