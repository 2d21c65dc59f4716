import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { installPort, type CollectionPort } from '../../../../server/worker/collect/collection-port.ts';
import { BasicCorrelationContext, Collector } from '../../../../server/worker/collect/collector.ts';
import { Columns } from '../../../../server/worker/collect/columns.ts';
import { ModelDataCollector } from '../../../../server/worker/collect/model-data-collector.ts';

interface Sent {
  readonly collection: string;
  readonly head: Parameters<CollectionPort['send']>[1];
  readonly rows: unknown;
}

/** A server that keeps all; removed after the test. */
function connect(t: TestContext, requestId?: string, sending = (): void => undefined): { sent: Sent[]; failures: string[] } {
  const sent: Sent[] = [];
  const failures: string[] = [];
  const columns = new Columns();
  installPort({
    requestId,
    identity: { workspace: 's/g/w', endpoint: 'ep', modelVersions: { m: '7' } },
    keeps: () => true,
    columns: () => columns,
    send: (collection, head, rows) => {
      sending();
      sent.push({ collection, head, rows });
    },
    failed: (collection, error) => void failures.push(`${collection}: ${error.message}`),
  });
  t.after(() => installPort(undefined));
  return { sent, failures };
}

test('outside the server a collector does nothing, and answers a context', () => {
  const context = new Collector({ name: 'x' }).collect([{ a: 1 }]);
  assert.match(context.id, /^[0-9a-f-]{36}$/);
  assert.equal(new ModelDataCollector('m', { designation: 'predictions' }).collect([1]), undefined);
});

test('rows belong to the request, to the context that is given, or to an id of their own', (t) => {
  const { sent } = connect(t, 'of the request');
  const inputs = new Collector({ name: 'model_inputs' });
  const context = inputs.collect([{ a: 1 }]);
  new Collector({ name: 'model_outputs' }).collect([{ b: 1 }], context);
  inputs.collect([{ a: 2 }], { id: 'mine' });
  inputs.collect(
    [{ a: 3 }],
    new BasicCorrelationContext({ id: 'theirs', timestamp: 5, headers: { tenant: 't', Authorization: 'secret' } }),
  );
  assert.deepEqual(
    sent.map(({ head }) => head.id),
    ['of the request', 'of the request', 'mine', 'theirs'],
  );
  assert.deepEqual(sent[3]?.head, { id: 'theirs', time: 5000, headers: { tenant: 't' } });
});

test('methods of collectors work by themselves, those of a derived class included', (t) => {
  const { sent, failures } = connect(t, 'r');
  class Doubling extends Collector {
    override collect(data: number[]): BasicCorrelationContext {
      return super.collect([...data, ...data]);
    }
  }
  // oxlint-disable-next-line typescript/unbound-method -- that is the test
  const { collect } = new Doubling({ name: 'x' });
  assert.equal(collect([1]).id, 'r');
  // oxlint-disable-next-line typescript/unbound-method -- that is the test
  const { collect: collectV1, addCorrelations } = new ModelDataCollector('m', { designation: 'inputs' });
  assert.equal(addCorrelations([1], collectV1([1]))[0]?.['$aml_request_id'], 'r');
  assert.deepEqual([sent.map(({ rows }) => (rows as unknown[]).length), failures], [[2, 1], []]);
});

test('onError is called as a member of the options', (t) => {
  connect(t);
  const options = {
    name: 'x',
    errors: [] as string[],
    onError(error: Error): void {
      this.errors.push(error.message);
    },
  };
  new Collector(options).collect({ a: [1, 2], b: [1] });
  assert.equal(options.errors.length, 1);
});

test('a request is a context, and its headers are not collected', (t) => {
  const { sent } = connect(t);
  const request = { id: 'r', headers: new Headers({ authorization: 'secret' }) };
  new Collector({ name: 'x' }).collect([{ a: 1 }], request);
  assert.equal(sent[0]?.head.id, 'r');
  assert.equal(sent[0]?.head.headers, undefined);
});

test('a name that is wrong or reserved collects nothing, throws nothing, and is reported', (t) => {
  const { sent, failures } = connect(t);
  for (const name of ['request', 'Model Inputs', '', '../x']) new Collector({ name }).collect([{ a: 1 }]);
  assert.deepEqual(sent, []);
  assert.equal(failures.length, 4);
  assert.match(failures[0] ?? '', /expected a name of your own, got request/);
});

test('an error reaches the script only where it asks for it', (t) => {
  connect(t);
  const throwing = new Collector({
    name: 'x',
    onError: (error) => {
      throw error;
    },
  });
  assert.throws(() => throwing.collect({ a: [1], b: [] }), /same length/);
});

test('data that does not fit is reported and throws nothing, in both collectors', (t) => {
  const { sent, failures } = connect(t);
  const legacy = new ModelDataCollector('m', { designation: 'predictions' });
  const unfit = [5, null, undefined, { a: [1, 2], b: [1] }] as unknown as object[];
  for (const data of unfit) {
    assert.deepEqual(legacy.addCorrelations(data, undefined), []);
    assert.equal(legacy.collect(data), undefined);
    new Collector({ name: 'x' }).collect(data);
  }
  assert.equal(failures.length, 12);
  assert.match(failures.join('\n'), /predictions: collect: expected rows, columns or tensors as data, got null/);
  legacy.collect(legacy.addCorrelations([], undefined));
  assert.equal(sent.length, 0, 'no rows are no record');
  new Collector({ name: 'x' }).collect([{ a: 1 }], { id: Object.create(null) as string, headers: null } as never);
  assert.deepEqual([sent[0]?.head.id, sent[0]?.head.headers, failures.length], ['[object Object]', undefined, 12]);
});

test('a broken connection to the server is reported, too', (t) => {
  const { failures } = connect(t, undefined, () => {
    throw new RangeError('Invalid string length');
  });
  new Collector({ name: 'x' }).collect([{ a: 1 }]);
  new ModelDataCollector('m', { designation: 'inputs' }).collect([{ a: 1 }]);
  assert.deepEqual(failures, ['x: Invalid string length', 'inputs: Invalid string length']);
});

test('outside the server, too, the collector of v1 throws nothing', () => {
  assert.deepEqual(new ModelDataCollector('m').addCorrelations(null as never, undefined), []);
});

test('the collector of v1 ties predictions to inputs, and rows keep what they carry', (t) => {
  const { sent } = connect(t, 'req');
  const inputs = new ModelDataCollector('m', { designation: 'inputs', featureNames: ['a', 'b'] });
  const predictions = new ModelDataCollector('m', { designation: 'predictions', featureNames: ['y'] });
  const correlations = inputs.collect([1, 2], 'user');
  assert.match(correlations?.$aml_dc_correlation_id ?? '', /^user-[0-9a-f-]{36}$/);
  predictions.collect(predictions.addCorrelations([[0.5]], correlations));
  const [input, prediction] = sent;
  assert.deepEqual(input?.rows, [{ a: 1, b: 2, ...correlations }]);
  assert.deepEqual(prediction?.rows, [{ y: 0.5, ...correlations }]);
  assert.deepEqual(
    [input?.head.v1, prediction?.collection, prediction?.head.id],
    ['inputs', 'predictions', correlations?.$aml_dc_correlation_id],
  );
  assert.deepEqual(Object.values(correlations ?? {}).slice(2), [1440, 's/g/w', 'ep', 'm', '7', 'req']);
  assert.match(correlations?.$aml_dc_scoring_timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
});
