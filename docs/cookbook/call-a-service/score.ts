/**
 * A request asks another service for features. Each attempt has a timeout, and temporary failures
 * are tried again. The calls belong to the trace of the request, and end with it.
 *
 * node docs/cookbook/call-a-service/service.js
 * npm start -- --entry-script docs/cookbook/call-a-service/score.ts
 * sh docs/cookbook/call-a-service/try.sh
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type RequestContext, ScoringError } from 'scoring-server';

const ATTEMPTS = 3;
const TIMEOUT_MS = 2000;
const PAUSE_MS = 100;

let service: string;

export function init() {
  service = process.env['FEATURES_URL'] ?? 'http://127.0.0.1:5002';
}

export async function run({ customer }: { customer: string }, request: RequestContext) {
  return { regular: (await visitsOf(customer, request)) >= 10 };
}

async function visitsOf(customer: string, request: RequestContext): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askForVisits(customer, request);
    } catch (cause) {
      if (cause instanceof ScoringError || request.signal.aborted) throw cause;
      if (attempt === ATTEMPTS) throw new ScoringError(503, 'the feature service does not answer', { cause });
      // Random, so that requests that failed together do not come back together.
      await delay(Math.random() * PAUSE_MS * 2 ** attempt, undefined, { signal: request.signal });
    }
  }
}

/** @throws ScoringError for an answer that a further attempt would get again */
async function askForVisits(customer: string, { traceparent, signal }: RequestContext): Promise<number> {
  const answer = await fetch(`${service}/features/${encodeURIComponent(customer)}`, {
    headers: { traceparent },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  // Read in any case: an unread body keeps its connection.
  const body = await answer.text();
  if (answer.status === 404) throw new ScoringError(404, `there is no customer ${customer}`);
  if (!answer.ok) throw new Error(`expected 200, got ${answer.status}: ${body}`);
  const { visits } = JSON.parse(body);
  if (typeof visits !== 'number') throw new Error(`expected {"visits": <number>}, got ${body}`);
  return visits;
}
