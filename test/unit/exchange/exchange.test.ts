import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import test from 'node:test';
import { pino } from 'pino';
import { ServerError } from '../../../server/errors.ts';
import type { Access, Caller } from '../../../server/access/access.ts';
import { Admission } from '../../../server/exchange/admission.ts';
import type { ClientLimit } from '../../../server/exchange/client-deadline.ts';
import { Exchange } from '../../../server/exchange/exchange.ts';
import { exchangeServices, type ExchangeServices } from '../../../server/exchange/services.ts';
import { Lifecycle } from '../../../server/lifecycle.ts';
import type { ScoreReply } from '../../../server/scoring/scorer-types.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { FakeScorer } from '../../http/fake-scorer.ts';

/** An exchange of a protocol that only lists the calls it gets. */
class TestExchange extends Exchange {
  readonly protocolVersion = '1.1';
  readonly method = 'POST';
  readonly url = 'test://host/score';
  readonly target = '/score';
  readonly contentType = 'text/plain';
  readonly rawHeaders = ['a', 'b'];
  status = 200;
  readonly events: string[] = [];
  breaks = false;
  limitMs: number | undefined;
  readonly #ended = Promise.withResolvers<void>();

  /** Resolves when the exchange has been answered. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  override header(): undefined {
    return undefined;
  }

  leave(): void {
    this.cancel();
  }

  finish(): void {
    this.record();
  }

  protected override clientLimit(): ClientLimit | undefined {
    if (this.limitMs === -1) throw new ServerError('bad_request', 'no limit');
    return this.limitMs === undefined ? undefined : { ms: this.limitMs, header: 'limit' };
  }

  protected override answerReply({ status }: ScoreReply): void {
    this.events.push(`reply ${status}`);
    if (this.breaks) throw new Error('broken');
    this.#ended.resolve();
  }

  protected override answerFailure({ code }: ServerError): void {
    this.events.push(code);
    this.#ended.resolve();
    if (this.breaks) throw new Error('broken');
  }

  protected override abort(): void {
    this.events.push('abort');
  }

  protected override inputText(body: readonly Buffer[]): string {
    return Buffer.concat(body).toString();
  }
}

interface Started {
  readonly scorer: FakeScorer;
  readonly services: ExchangeServices;
  readonly exchange: TestExchange;
}

/** @param access undefined: everybody may call */
function begin(headers: Record<string, string> = {}, access?: Access): Started {
  const scorer = new FakeScorer();
  const parts = {
    config: { accessLog: false, accessLogFields: [], trustedProxies: [] },
    scorer,
    access,
    lifecycle: new Lifecycle(),
    metrics: new Metrics(),
    log: pino({ level: 'silent' }),
  };
  const services = { ...exchangeServices(parts), sendsInput: true };
  return {
    scorer,
    services,
    exchange: new TestExchange(services, { path: '/score', access: 'key', counted: true, scores: true }, headers, undefined),
  };
}

test('a request is read, scored and answered in stages with names', async () => {
  const { scorer, exchange } = begin();
  exchange.admit(10);
  const admission = new Admission(scorer);
  exchange.startReading(admission);
  assert.equal(exchange.stage, 'reading');
  admission.grow(5, 'whole');
  exchange.score('score', [Buffer.from('abc')], 3, admission);
  assert.equal(exchange.stage, 'scoring');
  assert.equal(scorer.reserved, 0);
  await exchange.ended;
  assert.deepEqual(exchange.events, ['reply 200']);
  exchange.startAnswering({ cancel: () => exchange.events.push('cancel') });
  assert.equal(exchange.stage, 'answering');
  exchange.leave();
  assert.deepEqual(exchange.events, ['reply 200', 'cancel']);
  assert.equal(exchange.input, 'abc');
  const [request] = scorer.requests;
  assert.deepEqual(
    [request?.protocol, request?.method, request?.url, request?.contentType, request?.rawHeaders, request?.id],
    ['score', 'POST', '/score', 'text/plain', ['a', 'b'], exchange.ids.id],
  );
});

test('a client that leaves cancels the work of the stage', () => {
  const { scorer, exchange } = begin();
  const admission = new Admission(scorer);
  exchange.startReading(admission);
  admission.grow(5, 'small');
  exchange.leave();
  assert.equal(scorer.reserved, 0);
  exchange.score('open-inference', [], 0);
  exchange.leave();
  assert.equal(scorer.cancelled, 1);
});

test('a failure before scoring releases the body; only the first failure counts', () => {
  const { scorer, exchange } = begin();
  const admission = new Admission(scorer);
  exchange.startReading(admission);
  admission.grow(5, 'small');
  exchange.fail(new ServerError('body_too_large', 'too large'));
  exchange.fail(new Error('later'));
  assert.deepEqual([scorer.reserved, admission.open], [0, false]);
  assert.equal(exchange.failure?.code, 'body_too_large');
  assert.deepEqual(exchange.events, ['body_too_large']);
});

test('a failure of the scoring names its worker', async () => {
  const { scorer, exchange } = begin();
  scorer.outcome = () => new ServerError('run_failed', 'run() threw');
  exchange.score('score', [], 0);
  await exchange.ended;
  assert.deepEqual([exchange.failure?.code, exchange.worker], ['run_failed', 7]);
});

test('an answer that cannot be sent is a failure, and a failure that cannot be sent breaks off', async () => {
  const { exchange } = begin();
  exchange.breaks = true;
  exchange.score('score', [], 0);
  await exchange.ended;
  await Promise.resolve();
  assert.deepEqual(exchange.events, ['reply 200', 'internal', 'abort']);
});

test('an id that is too long is refused on every route', () => {
  const done = (): void => undefined;
  assert.throws(() => begin({ 'x-request-id': 'x'.repeat(101) }).exchange.begin([], done), { code: 'id_too_long' });
  begin().exchange.begin([], done);
});

test('an exchange whose access log throws is collected nevertheless', (t) => {
  const { exchange, services } = begin();
  t.mock.method(services.accessLog, 'write', () => {
    throw new Error('full');
  });
  const ended = t.mock.fn();
  Object.assign(exchange, { capture: { end: ended } });
  exchange.finish();
  assert.deepEqual(ended.mock.calls[0]?.arguments, [{ method: 'POST', url: '/score', status: 200 }]);
});

function none(): void {}

/** Lets promises that are settled go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test("the client's own deadline counts from the head, and ends the reading of the body", (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  const { scorer, exchange } = begin();
  exchange.limitMs = 100;
  now += 40;
  exchange.begin([], none);
  const admission = new Admission(scorer);
  exchange.startReading(admission);
  admission.grow(5, 'small');
  t.mock.timers.tick(59);
  assert.deepEqual(exchange.events, []);
  t.mock.timers.tick(1);
  assert.deepEqual(exchange.events, ['client_deadline']);
  assert.deepEqual([scorer.reserved, admission.open], [0, false]);
  assert.match(exchange.failure?.message ?? '', /100 ms \(limit\)/);
});

test("the client's own deadline cancels the run as a client that leaves does, and a later reply is dropped", async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { scorer, exchange } = begin();
  exchange.limitMs = 100;
  const { promise, resolve } = Promise.withResolvers<object>();
  scorer.outcome = () => promise;
  exchange.begin([], none);
  exchange.score('score', [], 0);
  t.mock.timers.tick(100);
  assert.deepEqual([exchange.events, scorer.cancelled, exchange.worker], [['client_deadline'], 1, 7]);
  const body = new Readable({ read: none });
  resolve({ body });
  await settled();
  assert.deepEqual([exchange.events, body.destroyed], [['client_deadline'], true]);
  assert.equal(exchange.reply, undefined);
});

test("an answer, a failure and a client that leaves end the client's own deadline", async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ends: Record<string, (exchange: TestExchange) => Promise<void> | void> = {
    'reply 200': (exchange) => {
      exchange.score('score', [], 0);
      return exchange.ended;
    },
    bad_json: (exchange) => exchange.fail(new ServerError('bad_json', 'no')),
    '': (exchange) => exchange.finish(),
  };
  for (const [event, end] of Object.entries(ends)) {
    const { exchange } = begin();
    exchange.limitMs = 100;
    exchange.begin([], none);
    await end(exchange);
    t.mock.timers.tick(1000);
    assert.equal(exchange.events.join(), event);
  }
});

test("a client's own limit of a wrong form is refused, after its key has been checked", () => {
  const refused = new ServerError('unauthorized', 'no');
  const denied = begin(
    {},
    {
      keys: [],
      check: () => {
        throw refused;
      },
    },
  );
  const { exchange } = begin();
  for (const each of [exchange, denied.exchange]) each.limitMs = -1;
  assert.throws(() => exchange.begin([], none), { code: 'bad_request' });
  assert.throws(() => denied.exchange.begin([], none), refused);
});

test('a caller has passed once the key or token is known to count, and not before', async () => {
  const { promise, resolve } = Promise.withResolvers<Caller>();
  const { exchange } = begin({}, { keys: [], check: () => promise });
  exchange.begin([], none);
  assert.equal(exchange.callerPassed, false);
  resolve({ kind: 'token', name: 'somebody' });
  await settled();
  assert.equal(exchange.callerPassed, true);
  const left = begin({}, { keys: [], check: () => promise }).exchange;
  left.limitMs = -1;
  assert.throws(() => left.begin([], none), { code: 'bad_request' });
  left.fail(new ServerError('bad_request', 'wrong'));
  await settled();
  assert.equal(left.callerPassed, false);
});

test("the client's own deadline passes while a token is verified: its request goes no further", async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { promise, resolve } = Promise.withResolvers<Caller>();
  const { exchange } = begin({}, { keys: [], check: () => promise });
  exchange.limitMs = 100;
  const next = t.mock.fn();
  exchange.begin([], next);
  t.mock.timers.tick(100);
  resolve({ kind: 'token', name: 'somebody' });
  await settled();
  assert.deepEqual([exchange.events, next.mock.callCount()], [['client_deadline'], 0]);
});
