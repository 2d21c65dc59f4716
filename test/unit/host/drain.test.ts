import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import { drain, type DrainParts, leaveFailed, longestExit } from '../../../server/host/drain.ts';
import { Lifecycle } from '../../../server/lifecycle.ts';

const never = (): Promise<never> => new Promise(() => undefined);
const config = { drainDelayMs: 0, drainTimeoutMs: 200 };

/**
 * Parts that are done at once, but for those that a test gives; `steps` are the calls in their
 * order.
 */
function partsWith(steps: string[], own: Partial<DrainParts> = {}): DrainParts {
  const step = (name: string) => (): Promise<boolean> => {
    steps.push(name);
    return Promise.resolve(true);
  };
  const done = (name: string) => async (): Promise<void> => void (await step(name)());
  const lifecycle = new Lifecycle();
  lifecycle.to('ready');
  return {
    config,
    lifecycle,
    scorer: { load: { queued: 0, inFlight: 0 }, idle: done('idle'), stop: done('stop'), kill: () => void steps.push('kill') },
    collector: { redacted: done('redacted'), close: step('collected') },
    collectorMs: 100,
    telemetry: { stop: step('told') },
    doors: [{ close: done('close'), closeAll: () => void steps.push('closeAll') }],
    log: pino({ level: 'silent' }),
    ...own,
  };
}

test('a drain closes the ports, finishes what was admitted, ends the workers, and delivers what was collected', async () => {
  const steps: string[] = [];
  const parts = partsWith(steps);
  assert.equal(await drain('SIGTERM', parts), true);
  assert.deepEqual(steps, ['close', 'idle', 'redacted', 'stop', 'kill', 'closeAll', 'told', 'collected']);
  assert.equal(parts.lifecycle.state, 'stopped');
});

test('workers have the rest of the drain for close(), and nothing once it is over', async () => {
  const limits: number[] = [];
  const scorer = { load: { queued: 0, inFlight: 0 }, idle: () => Promise.resolve(), kill: () => undefined };
  const stop = (closeMs: number): Promise<void> => Promise.resolve(void limits.push(closeMs));
  const [busy, calm] = [
    { ...scorer, stop, idle: never },
    { ...scorer, stop },
  ];
  await drain('SIGTERM', partsWith([], { scorer: busy }));
  await drain('SIGTERM', partsWith([], { scorer: calm, config: { drainDelayMs: 0, drainTimeoutMs: 60_000 } }));
  await leaveFailed(partsWith([], { scorer: calm, config: { drainDelayMs: 0, drainTimeoutMs: 60_000 } }));
  const [overdue = Infinity, ...others] = limits;
  assert.ok(overdue < 100, String(overdue));
  for (const limit of others) assert.ok(limit > 30_000 && limit <= 60_000, String(limit));
});

const stuck: Record<string, Partial<DrainParts>> = {
  'a port': { doors: [{ close: never, closeAll: () => undefined }] },
  'a request': { scorer: { load: { queued: 0, inFlight: 1 }, idle: never, stop: () => Promise.resolve(), kill: () => undefined } },
  'a worker': { scorer: { load: { queued: 0, inFlight: 0 }, idle: () => Promise.resolve(), stop: never, kill: () => undefined } },
  'a hook that redacts': { collector: { redacted: never, close: () => Promise.resolve(true) } },
  'a sink': { collector: { redacted: () => Promise.resolve(), close: never } },
  telemetry: { telemetry: { stop: never } },
  everything: {
    doors: [{ close: never, closeAll: () => undefined }],
    scorer: { load: { queued: 1, inFlight: 1 }, idle: never, stop: never, kill: () => undefined },
    collector: { redacted: never, close: never },
    telemetry: { stop: never },
  },
};
test('whatever never ends costs a drain, and a failure, no more than all limits together', async () => {
  const all = Object.entries(stuck).map(async ([what, own]) => {
    const draining = partsWith([], own);
    const began = performance.now();
    await Promise.all([drain('SIGTERM', draining), leaveFailed(partsWith([], own))]);
    assert.ok(performance.now() - began < longestExit(draining), what);
    assert.equal(draining.lifecycle.state, 'stopped', what);
  });
  await Promise.all(all);
});

test('a thread that does not end is told to whoever ends the process', async () => {
  const not = (): Promise<boolean> => Promise.resolve(false);
  for (const own of [{ telemetry: { stop: not } }, { collector: { redacted: () => Promise.resolve(), close: not } }]) {
    assert.equal(await drain('SIGTERM', partsWith([], own)), false);
    assert.equal(await leaveFailed(partsWith([], own)), false);
  }
});

test('a step that fails is no reason to leave out those that follow', async () => {
  const fails = (): Promise<never> => Promise.reject(new Error('no'));
  const parts = partsWith([], {
    doors: [{ close: fails, closeAll: () => undefined }],
    collector: { redacted: fails, close: fails },
    telemetry: { stop: fails },
  });
  await drain('SIGHUP', parts);
  assert.equal(parts.lifecycle.state, 'stopped');
});

test('only a SIGTERM waits for load balancers, and no drain is longer than its limit', async () => {
  for (const [signal, drainDelayMs, drainTimeoutMs] of [
    ['SIGINT', 60_000, 60_000],
    ['SIGHUP', 60_000, 60_000],
    ['SIGTERM', 60_000, 50],
  ] as const) {
    const began = performance.now();
    await drain(signal, partsWith([], { config: { drainDelayMs, drainTimeoutMs } }));
    assert.ok(performance.now() - began < 30_000);
  }
});
