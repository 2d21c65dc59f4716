import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import test from 'node:test';
import { readConfig } from '../../../server/config/read-config.ts';
import { readIds, type Sampler } from '../../../server/request/request-ids.ts';
import { tracingOf } from '../../../server/telemetry/otel.ts';

const COUNT = 20_000;
/**
 * Standard deviations of a binomial count that a test allows. A right share is beyond them once in
 * 500 million tries.
 */
const DEVIATIONS = 6;

function assertShare(count: number, share: number, what: string): void {
  const deviation = Math.sqrt(COUNT * share * (1 - share));
  assert.ok(Math.abs(count - COUNT * share) <= DEVIATIONS * deviation, `${what}: ${count} of ${COUNT} at ${share}`);
}

function samplerOf(share: number): Sampler {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_SAMPLER_ARG: String(share) };
  const command = readConfig({ argv: [], env, cwd: '/' });
  assert.ok(command.kind === 'serve');
  return tracingOf(command.config, {}, env)?.sampler;
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0').slice(-digits);
const uuid = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const random = (bytes: number): string => randomBytes(bytes).toString('hex');
const NOW = 0x019acd1d8448;
/** Ids that a client may send, the n-th of many. */
const CLIENTS: Readonly<Record<string, (n: number) => string | undefined>> = {
  'no id': () => undefined,
  'a UUID of version 4': () => randomUUID(),
  'a UUID of version 4 in capitals': () => randomUUID().toUpperCase(),
  'a UUID of version 7': (n) => uuid(`${hex(NOW + n, 12)}7${random(2).slice(1)}8${random(8).slice(1)}`),
  'a UUID of version 1, which ends in the machine': (n) => uuid(`${hex(n * 10_000, 8)}cd1d11f0844800155d012345`),
  'a UUID that counts': (n) => uuid(hex(n, 32)),
  'a ULID': (n) => `01KARHV24${hex(n, 3).toUpperCase()}${random(7).toUpperCase()}`,
  'a number': (n) => String(n),
};

test('the header of a platform is the id of a request without x-request-id', () => {
  const header = 'x-amzn-sagemaker-inference-id';
  const { id, headers } = readIds({ [header]: 'order-17' }, undefined, header);
  assert.deepEqual([id, headers.slice(0, 2)], ['order-17', ['x-request-id', 'order-17']]);
  assert.equal(readIds({ [header]: 'order-17', 'x-request-id': 'own' }, undefined, header).id, 'own');
  assert.notEqual(readIds({ [header]: 'order-17' }).id, 'order-17');
  assert.match(readIds({ [header]: 'x'.repeat(101) }, undefined, header).refusal?.message ?? '', /^x-amzn-sagemaker-inference-id must not/);
  assert.match(readIds({ 'x-request-id': 'x'.repeat(101) }, undefined, header).refusal?.message ?? '', /^x-request-id must not/);
  assert.match(readIds({}, undefined, header).id, /^[0-9a-f-]{36}$/);
});

for (const [name, idOf] of Object.entries(CLIENTS))
  test(`of requests with ${name}, the share of OTEL_TRACES_SAMPLER_ARG is sampled`, () => {
    for (const share of [0.01, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9]) {
      const sampler = samplerOf(share);
      let sampled = 0;
      for (let n = 0; n < COUNT; n++) if (readIds({ 'x-request-id': idOf(n) }, sampler).sampled) sampled++;
      assertShare(sampled, share, name);
    }
    for (const share of [0, 1]) {
      const sampler = samplerOf(share);
      for (let n = 0; n < 1000; n++) assert.equal(readIds({ 'x-request-id': idOf(n) }, sampler).sampled, share === 1);
    }
  });

test('the sampler decides as ProbabilitySampler of OpenTelemetry does: the same trace is in every service or in none', () => {
  for (const share of [0.01, 0.1, 0.5, 0.9]) {
    const sampler = samplerOf(share);
    // https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    const threshold = BigInt(Math.round((1 - share) * 2 ** 48)) << 8n;
    for (let n = 0; n < 2000; n++) {
      const traceId = random(16);
      assert.equal(sampler?.(traceId), BigInt(`0x${traceId.slice(18)}`) >= threshold, `${traceId} at ${share}`);
    }
  }
});

test('ids that are made here are random in every digit', () => {
  const seen = new Map<string, number>();
  for (let n = 0; n < COUNT; n++) {
    const { traceId, spanId } = readIds({}, () => false);
    for (const [at, digit] of Array.from(traceId + spanId).entries()) seen.set(`${at} ${digit}`, (seen.get(`${at} ${digit}`) ?? 0) + 1);
  }
  assert.equal(seen.size, (32 + 16) * 16);
  for (const [digit, count] of seen) assertShare(count, 1 / 16, `place and digit ${digit}`);
});

test('the flags of a trace that begins here: its id is random, and whether it is recorded', () => {
  const flags = (traceparent: string | undefined, sampled: boolean): string | undefined =>
    readIds({ traceparent }, () => sampled).traceparent?.slice(52);
  assert.deepEqual([flags(undefined, true), flags(undefined, false)], ['-03', '-02']);
  const parent = `00-${random(16)}-${random(8)}`;
  // A caller's flags stay. Those that no version of the standard defines are not passed on.
  for (const [given, passed] of [
    ['00', '-00'],
    ['01', '-01'],
    ['02', '-02'],
    ['03', '-03'],
    ['fd', '-01'],
  ])
    assert.deepEqual([flags(`${parent}-${given}`, true), flags(`${parent}-${given}`, false)], [passed, passed]);
});
