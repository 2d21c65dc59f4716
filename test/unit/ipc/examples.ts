import type { FromHost } from '../../../server/ipc/from-host.ts';
import type { FromWorker } from '../../../server/ipc/from-worker.ts';
import type { HostKindName, WorkerKindName } from '../../../server/ipc/kinds.ts';
import type { ServedModel } from '../../../server/ipc/worker-messages.ts';
import type { StartMessage } from '../../../server/ipc/start-message.ts';
import type { ToHost } from '../../../server/ipc/to-host.ts';
import type { ToWorker } from '../../../server/ipc/to-worker.ts';
import { readRedacted } from '../../../server/ipc/redaction.ts';
import { JSON_HEADERS } from '../../../server/ipc/reply-head.ts';
import { protocolOf, scoreHeadEnd, SCORE_HEAD_BYTES } from '../../../server/ipc/score-head.ts';

/** One frame of a kind: how it is written, and the call that its reader makes of it. */
interface Example<Writer> {
  write(to: Writer): void;
  readonly read: readonly unknown[];
}

const start: StartMessage = {
  entryScript: '/srv/score.ts',
  noCode: false,
  modelFile: undefined,
  modelDir: '/srv/model',
  modelName: 'ridge',
  importPath: ['/srv'],
  concurrency: 32,
  initTimeoutMs: 300_000,
  execution: { provider: 'cpu', strict: false },
  intraOpThreads: 2,
  maxBatchSize: 'auto',
  maxBatchDelayMs: 0,
  warmUp: 'on',
  nonFinite: 'string',
  jsonNan: 'accept',
  sharedSizes: 'check',
  answerLimitBytes: 268_435_456,
  logLevel: 'info',
  tracing: false,
  collection: {
    rates: { model_inputs: 0.5 },
    others: 1,
    workspace: 'sub/group/ws',
    endpoint: 'ep',
    modelVersions: { ridge: '3' },
  },
};
const { modelFile: _, ...startOnTheWire } = start;

const model: ServedModel = {
  name: 'ridge',
  inputs: [{ name: 'x', type: 'float32', dims: ['n', 10] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['n', 1] }],
  provider: 'cpu',
  intraOpThreads: 2,
  ortVersion: '1.30.0',
  loadSeconds: 0.25,
  batching: { merges: true, reason: 'proven' },
};
const redactHead = {
  id: 'req-1',
  sides: [
    { collection: 'request', contentType: 'application/json', bytes: 7 },
    { collection: 'response', contentType: 'text/plain', bytes: 2 },
  ],
} as const;
const ready = { rawHttp: false, parsesJson: true, redacts: false, closes: true, concurrency: 32, models: [model] };
const line = {
  level: 'info',
  msg: 'hello',
  requestId: 'req-1',
  traceId: '0af7651916cd43dd8448eb211c80319c',
  fields: { n: 1 },
} as const;
const metrics = {
  defined: [{ kind: 'counter', name: 'tokens_total', help: 'tokens', labels: ['kind'] }],
  changes: [
    { name: 'tokens_total', labels: ['in'], value: 5 },
    { name: 'inference_batch_rows', labels: ['ridge', 'idle'], value: 3, counts: [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  ],
} as const;
const times = { at: 1_700_000_000_000.5, ms: 2.5, inferences: [{ model: 'ridge', at: 1_700_000_000_001, ms: 0.5, rows: 8 }] };
const notCollected = [{ collection: 'model_inputs', reason: 'sampled_out', count: 3 }] as const;
const failure = { code: 'run_failed', message: 'Error: no' } as const;

/** Frames of the host. */
export const hostExamples: Readonly<Record<HostKindName, Example<ToWorker>>> = {
  start: { write: (to) => to.start(start), read: ['start', startOnTheWire] },
  score: {
    write: (to) =>
      to.score(
        7,
        {
          protocol: 'open-inference',
          method: 'POST',
          url: '/v2/models/ridge/infer',
          contentType: 'application/json',
          id: 'req-1',
          clientRequestId: undefined,
          traceId: '0af7651916cd43dd8448eb211c80319c',
          traceparent: undefined,
        },
        ['Host', 'localhost'],
        [Buffer.from('{"inputs"'), Buffer.from(':[]}')],
      ),
    read: [
      'score',
      7,
      'open-inference',
      'POST\n/v2/models/ridge/infer\napplication/json\nreq-1\n\n0af7651916cd43dd8448eb211c80319c\n\nHost\nlocalhost',
      '{"inputs":[]}',
    ],
  },
  cancel: { write: (to) => to.cancel(7), read: ['cancel', 7] },
  credit: { write: (to) => to.credit(7, 65_536), read: ['credit', 7, 65_536] },
  redact: {
    write: (to) => to.redact(9, redactHead, [Buffer.from('{"a":1}'), Buffer.from('ok')]),
    read: ['redact', 9, redactHead, ['{"a":1}', 'ok']],
  },
};

/** Frames of a worker. */
export const workerExamples: Readonly<Record<WorkerKindName, Example<ToHost>>> = {
  ready: { write: (to) => to.ready(ready), read: ['ready', ready] },
  startFailed: {
    write: (to) => to.startFailed({ code: 'init_failed', message: 'init() raised' }),
    read: ['startFailed', { code: 'init_failed', message: 'init() raised' }],
  },
  reply: {
    write: (to) => to.reply(7, 200, 1.5, undefined, ['{"y":', Buffer.from('[1]}')]),
    read: ['reply', 7, { status: 200, runFailed: false, runMs: 1.5, headers: JSON_HEADERS }, '{"y":[1]}'],
  },
  failure: { write: (to) => to.failure(7, failure), read: ['failure', 7, failure] },
  stream: {
    write: (to) =>
      to.stream(7, 503, -1, [
        ['content-type', 'text/plain'],
        ['x-a', 'b'],
      ]),
    read: [
      'stream',
      7,
      {
        status: 503,
        runFailed: true,
        runMs: undefined,
        headers: [
          ['content-type', 'text/plain'],
          ['x-a', 'b'],
        ],
      },
    ],
  },
  chunk: { write: (to) => to.chunk(7, Buffer.from('some text')), read: ['chunk', 7, 'some text'] },
  end: { write: (to) => to.end(7), read: ['end', 7] },
  broken: { write: (to) => to.broken(7, failure), read: ['broken', 7, failure] },
  log: { write: (to) => to.log(line), read: ['log', line, 112] },
  cancelled: { write: (to) => to.cancelled(7), read: ['cancelled', 7] },
  returned: { write: (to) => to.returned(7), read: ['returned', 7] },
  metrics: { write: (to) => to.metrics(metrics), read: ['metrics', metrics] },
  times: { write: (to) => to.times(7, times), read: ['times', 7, times] },
  collect: {
    write: (to) => to.collect('model_inputs', '{"id":"req-1","time":1700000000000}', '[{"x":1}]'),
    read: ['collect', '\x0cmodel_inputs\x23\0\0\0{"id":"req-1","time":1700000000000}[{"x":1}]'],
  },
  notCollected: { write: (to) => to.notCollected(notCollected), read: ['notCollected', notCollected] },
  redacted: {
    write: (to) => to.redacted(9, [{ contentType: 'application/json', body: Buffer.from('{}') }, 'hook_failed', undefined]),
    read: ['redacted', 9, [{ contentType: 'application/json', bytes: 2 }, 'hook_failed', null], '{}'],
  },
  loaded: { write: (to) => to.loaded(model), read: ['loaded', model] },
  trying: { write: (to) => to.trying({ model: 'ridge' }), read: ['trying', { model: 'ridge' }] },
};

/** Records the calls of a reader, payloads as text. */
export function recorder(): { readonly calls: unknown[][]; readonly host: FromHost; readonly worker: FromWorker } {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...args: unknown[]): void =>
      void calls.push([name, ...args.map((arg) => (Buffer.isBuffer(arg) ? arg.toString('latin1') : arg))]);
  const host: FromHost = {
    start: record('start'),
    startRefused: record('startRefused'),
    score: (id, payload) => {
      const end = scoreHeadEnd(payload);
      record('score')(id, protocolOf(payload), payload.toString('utf8', SCORE_HEAD_BYTES, end), payload.subarray(end));
    },
    cancel: record('cancel'),
    credit: record('credit'),
    redact: (id, head, bodies) => record('redact')(id, head, bodies.map(String)),
  };
  const worker: FromWorker = {
    ready: record('ready'),
    startFailed: record('startFailed'),
    loaded: record('loaded'),
    trying: record('trying'),
    reply: record('reply'),
    failure: record('failure'),
    stream: record('stream'),
    chunk: record('chunk'),
    end: record('end'),
    broken: record('broken'),
    times: record('times'),
    cancelled: record('cancelled'),
    returned: record('returned'),
    log: record('log'),
    metrics: record('metrics'),
    collect: record('collect'),
    notCollected: record('notCollected'),
    redacted: (id, payload) => {
      const { heads, bodiesAt } = readRedacted(payload, 3);
      record('redacted')(id, heads, payload.subarray(bodiesAt));
    },
  };
  return { calls, host, worker };
}
