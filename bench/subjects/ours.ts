/** This server, as `npm start` starts it. */

import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { byName, bytes, type Case } from '../cases.ts';
import type { Answer } from '../ask.ts';
import { type HttpSubject, json, startHttp } from '../http-subject.ts';
import { ADDRESS, type Place, type Subject } from '../subject.ts';

const [, ...flags] = packageJson.scripts.start.split(' ');
const args = flags.map((flag) => (flag.endsWith('.ts') ? fileURLToPath(new URL(`../../${flag}`, import.meta.url)) : flag));

type Front = Pick<HttpSubject, 'url' | 'headers' | 'body' | 'predictions'>;

function serve(
  row: Case,
  { port, folder }: Place,
  accessLog: boolean,
  front: Front,
  env: Readonly<Record<string, string>> = {},
): ReturnType<Subject['start']> {
  const base = `http://${ADDRESS}:${port}`;
  return startHttp({
    command: {
      file: process.execPath,
      args: [...args, '--host', ADDRESS, '--port', String(port), '--model', row.file],
      env: { ACCESS_LOG: String(accessLog), ...env },
      folder,
    },
    slow: row.slow,
    ready: `${base}/health/ready`,
    health: `${base}/health/live`,
    ...front,
    url: base + front.url,
  });
}

/** The model's own inputs by name; the outputs are named where the model has more than the one that is asked for. */
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
  start: (row, place) => serve(row, place, false, scored(row)),
};

/** The same with options of one's own. */
export const oursWith = (row: Case, place: Place, env: Readonly<Record<string, string>>): ReturnType<Subject['start']> =>
  serve(row, place, false, scored(row), env);

export const oursLogs: Subject = {
  name: 'ours-logs',
  title: 'this server, default settings, access log on (to a file)',
  start: (row, place) => serve(row, place, true, scored(row)),
};

export const oursBinary: Subject = {
  name: 'ours-binary',
  title: 'this server, access log off, Open Inference Protocol with binary tensors',
  start: (row, place) => serve(row, place, false, binary(row)),
};
