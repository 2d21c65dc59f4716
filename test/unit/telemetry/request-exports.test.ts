import assert from 'node:assert/strict';
import test from 'node:test';
import { type ErrorCode, ServerError } from '../../../server/errors.ts';
import { readIds } from '../../../server/request/request-ids.ts';
import type { TelemetryExporter } from '../../../server/telemetry/exporter.ts';
import { RequestExports } from '../../../server/telemetry/request-exports.ts';

/** The kinds of the items that leave the server for one request. */
function sent(code?: ErrorCode, callerPassed = true): string[] {
  const kinds: string[] = [];
  const exporter = { add: ({ kind }: { kind: string }) => kinds.push(kind) } as unknown as TelemetryExporter;
  const exports = new RequestExports(exporter, { insights: true, responses: false, modelData: false, redacts: () => false, spans: true });
  exports.write(
    {
      route: { path: '/score', scores: true },
      method: 'POST',
      url: 'http://x/score',
      protocolVersion: '1.1',
      header: () => undefined,
      status: 200,
      ids: readIds({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }, () => true),
      failure: code && new ServerError(code, 'x'),
      callerPassed,
      reply: undefined,
      scoring: undefined,
      input: undefined,
    },
    1,
  );
  return kinds;
}

test('a request is reported, also one that failed for its input', () => {
  assert.deepEqual(sent(), ['request', 'span']);
  assert.deepEqual(sent('invalid_input'), ['request', 'span']);
});

test('refused callers, and paths and methods that are not there, send no telemetry away', () => {
  for (const code of ['not_found', 'method_not_allowed'] as const) assert.deepEqual(sent(code), []);
  for (const code of ['unauthorized', 'rate_limited', 'id_too_long', 'bad_request', 'client_gone', 'client_deadline'] as const)
    assert.deepEqual(sent(code, false), []);
});
