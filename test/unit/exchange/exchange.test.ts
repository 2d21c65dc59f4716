import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import { ServerError } from '../../../server/errors.ts';
import { Admission } from '../../../server/exchange/admission.ts';
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

function begin(headers: Record<string, string> = {}): Started {
  const scorer = new FakeScorer();
  const parts = {
    config: { accessLog: false, accessLogFields: [], trustedProxies: [] },
    scorer,
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
  assert.throws(() => begin({ 'x-request-id': 'x'.repeat(101) }).exchange.begin({}, done), { code: 'id_too_long' });
  begin().exchange.begin({}, done);
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
