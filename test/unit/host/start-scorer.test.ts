import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { readConfig } from '../../../server/config/read-config.ts';
import type { ServerError } from '../../../server/errors.ts';
import { servingPlan } from '../../../server/host/serving-plan.ts';
import { startScorer } from '../../../server/host/start-scorer.ts';
import { Lifecycle } from '../../../server/lifecycle.ts';
import type { PoolScorer } from '../../../server/scoring/scorer.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));
const log = pino({ level: 'silent' });

interface Started {
  readonly scorer: PoolScorer;
  readonly metrics: Metrics;
  readonly ready: Promise<void>;
  readonly failed: Promise<ServerError>;
}

/** Workers of a script, and nothing else of a server. */
async function start(script: string): Promise<Started> {
  const command = readConfig({ argv: ['--entry-script', join(SCRIPTS, script)], env: { AML_APP_ROOT: SCRIPTS }, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  const { config, found } = await servingPlan(command, log);
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<ServerError>();
  const metrics = new Metrics();
  const scorer = startScorer(config, found, {
    env: process.env,
    lifecycle: new Lifecycle(),
    log,
    metrics,
    events: { ready: () => ready.resolve(), failed: failed.resolve },
  });
  return { scorer, metrics, ready: ready.promise, failed: failed.promise };
}

test('workers score without a port', async () => {
  const { scorer, metrics, ready } = await start('echo.ts');
  try {
    await ready;
    const body = Buffer.from('[1,2]');
    scorer.admit(body.length);
    const { reply } = scorer.score({
      protocol: 'score',
      method: 'POST',
      url: '/score',
      contentType: 'application/json',
      id: 'one',
      clientRequestId: undefined,
      traceId: '0123456789abcdef0123456789abcdef',
      rawHeaders: [],
      body: [body],
      bodyBytes: body.length,
    });
    const answer = await reply;
    assert.ok(Buffer.isBuffer(answer.body));
    assert.equal(answer.body.toString(), '[1,2]');
    assert.match(await metrics.registry.metrics(), /^scoring_workers 1$/m);
  } finally {
    await scorer.stop();
  }
});

test('a script that cannot be served is reported, and ends nothing but its workers', async () => {
  const { scorer, failed } = await start('init-throws.ts');
  assert.equal((await failed).code, 'init_failed');
  await scorer.stop();
});
