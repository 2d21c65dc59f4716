import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test, { type TestContext } from 'node:test';
import { FrameReader } from '../../../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../../../server/ipc/frames.ts';
import { WorkerKind } from '../../../../server/ipc/kinds.ts';
import { ToHost } from '../../../../server/ipc/to-host.ts';
import { messages, type NotCollected } from '../../../../server/ipc/worker-messages.ts';
import { ClosedPort, installPort, WorkerPort } from '../../../../server/worker/collect/collection-port.ts';
import { BasicCorrelationContext, Collector } from '../../../../server/worker/collect/collector.ts';
import { ModelDataCollector } from '../../../../server/worker/collect/model-data-collector.ts';

interface Received {
  readonly counts: NotCollected[];
  readonly payloads: string[];
  readonly warnings: string[];
  /** A deep check runs. */
  ofSample: boolean;
  /** All frames so far have been read. */
  readonly settled: () => Promise<void>;
}

function connect(t: TestContext, rates: Readonly<Record<string, number>> = {}, others = 1): Received {
  const pipe = new PassThrough();
  const received = { counts: [] as NotCollected[], payloads: [] as string[], warnings: [] as string[], ofSample: false };
  const reader = new FrameReader((_id, kind, payload) => {
    if (kind === WorkerKind.notCollected) received.counts.push(...messages.notCollected(payload));
    else received.payloads.push(payload.toString());
  }, MOST_FRAME_BYTES);
  pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
  const port = new WorkerPort({
    settings: { rates, others, workspace: 'w', endpoint: 'e', modelVersions: {} },
    toHost: new ToHost(new FrameWriter(pipe, setImmediate)),
    requestId: () => 'of the request',
    ofSample: () => received.ofSample,
    warn: (text) => received.warnings.push(text),
    isFloat: (name) => name === 'x',
  });
  port.open = true;
  installPort(port);
  t.after(() => installPort(undefined));
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return Object.assign(received, { settled });
}

const sum = (counts: readonly NotCollected[], reason: string): number =>
  counts.reduce((total, each) => total + (each.reason === reason ? each.count : 0), 0);

test('a collection that is not selected is logged once, and its rows are counted', async (t) => {
  const { counts, payloads, warnings, settled } = connect(t, { kept: 1 }, 0);
  for (let n = 0; n < 3; n++) for (const name of ['kept', 'left', 'out']) new Collector({ name }).collect([{ a: n }]);
  await settled();
  assert.deepEqual(counts, [
    { collection: 'left', reason: 'not_selected', count: 3 },
    { collection: 'out', reason: 'not_selected', count: 3 },
  ]);
  assert.equal(payloads.length, 3);
  assert.deepEqual(
    warnings.map((text) => text.split(':')[0]),
    ['left', 'out'],
  );
  assert.match(warnings[0] ?? '', /MDC_COLLECTIONS.* does not select it \(logged once\)/);
});

test('rows of a deep check are neither collected nor counted', async (t) => {
  const port = connect(t, { kept: 1 }, 0);
  const collect = (): void => ['kept', 'left'].forEach((name) => void new Collector({ name }).collect([{ a: 1 }]));
  port.ofSample = true;
  collect();
  await port.settled();
  assert.deepEqual([port.payloads, port.counts, port.warnings], [[], [], []]);
  port.ofSample = false;
  collect();
  await port.settled();
  assert.deepEqual([port.payloads.length, port.counts.length], [1, 1]);
});

test('names of collections that are made from data have a limit, selected or not', async (t) => {
  for (const others of [1, 0]) {
    const { counts, payloads, warnings, settled } = connect(t, {}, others);
    for (let n = 0; n < 5000; n++) new Collector({ name: `c${n}` }).collect([{ a: 1 }]);
    new Collector({ name: 'c3' }).collect([{ a: 1 }]);
    await settled();
    assert.equal(payloads.length, others === 1 ? 101 : 0);
    assert.equal(sum(counts, 'too_many_collections'), 4900);
    assert.equal(new Set(counts.map(({ collection }) => collection)).size, others === 1 ? 1 : 101);
    assert.equal(warnings.filter((text) => text.includes('at most 100, c100 is one more')).length, 1);
  }
});

test('collectors of one name share names and types of columns, also where a script makes one for each call', async (t) => {
  const { payloads, settled } = connect(t);
  for (const a of [1, 1.5, 2]) new Collector({ name: 'c' }).collect([{ a, x: 1, 'p.q': true }]);
  await settled();
  assert.deepEqual(
    payloads.map((text) => text.slice(text.indexOf('[{'))),
    ['[{"a":1,"x":1.0,"p_q":true}]', '[{"a":1.5,"x":1.0,"p_q":true}]', '[{"a":2.0,"x":1.0,"p_q":true}]'],
  );
});

test('the time of a context is in seconds, and one that a record cannot have is now', async (t) => {
  const { payloads, settled } = connect(t);
  const collector = new Collector({ name: 'c' });
  const now = Math.floor(Date.now() / 1000);
  const { timestamp } = collector.collect([{ a: 1 }]);
  assert.ok(Number.isInteger(timestamp) && timestamp >= now && timestamp <= now + 60);
  const times = [5, 5.5, Date.now(), -1, Number.NaN, Number.POSITIVE_INFINITY];
  for (const given of times) collector.collect([{ a: 1 }], new BasicCorrelationContext({ timestamp: given }));
  await settled();
  const sent = payloads.map((text) => Number(/"time":([\d.]+)/.exec(text)?.[1]));
  assert.deepEqual(sent.slice(0, 3), [timestamp * 1000, 5000, 5500]);
  for (const time of sent.slice(3)) assert.ok(time >= now * 1000 && time <= Date.now(), String(time));
});

test('where collection is off, a context has the id of the request, and nothing else happens', (t) => {
  installPort(new ClosedPort(() => 'of the request'));
  t.after(() => installPort(undefined));
  const context = new Collector({ name: 'c' }).collect([{ a: 1 }]);
  assert.equal(context.id, 'of the request');
  assert.equal(new Collector({ name: 'd' }).collect([{ b: 1 }], context).id, 'of the request');
  assert.equal(new ModelDataCollector('m', { designation: 'inputs' }).collect([1])?.$aml_request_id, 'of the request');
  assert.doesNotThrow(() => new Collector({ name: 'Wrong Name' }));
});

test('types that are no types are reported, and such a collector collects nothing', async (t) => {
  const { counts, payloads, warnings, settled } = connect(t);
  for (const types of [{ a: 'double' }, { a: null }, 'float', ['float']] as never[])
    new Collector({ name: 'c', types }).collect([{ a: 1 }]);
  await settled();
  assert.deepEqual([sum(counts, 'invalid_data'), payloads], [4, []]);
  assert.match(warnings[0] ?? '', /expected types of columns by name, each one of float, int, string, boolean; got \{"a":"double"\}/);
});

test('predictions of the v1 API keep the types of the arrays that they come from', async (t) => {
  const { payloads, settled } = connect(t);
  const inputs = new ModelDataCollector('m', { designation: 'inputs', featureNames: ['age', 'b.mi'], types: { age: 'float' } });
  const predictions = new ModelDataCollector('m', { designation: 'predictions', featureNames: ['y.1'] });
  const correlations = inputs.collect([41, 22]);
  predictions.collect(predictions.addCorrelations([Float32Array.of(1)], correlations));
  await settled();
  assert.match(payloads[0] ?? '', /\[\{"age":41\.0,"b_mi":22,"\$aml_dc_correlation_id":".*"\$aml_dc_boundary":1440,/);
  assert.match(payloads[1] ?? '', /\[\{"y_1":1\.0,"\$aml_dc_correlation_id":".*"\$aml_dc_boundary":1440,/);
});
