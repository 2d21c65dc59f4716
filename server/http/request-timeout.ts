import type { IncomingHttpHeaders } from 'node:http';
import { ServerError } from '../errors.ts';
import { type ClientLimit, LONGEST_DELAY_MS } from '../exchange/client-deadline.ts';
import { excerpt } from '../guards/excerpt.ts';

const HEADER = 'x-request-timeout-ms';
const WHOLE = /^[1-9]\d{0,9}$/;

/**
 * How long the client of a scoring request waits for the answer; undefined if it does not say.
 * Node joins the values of a repeated header by commas.
 * @throws ServerError bad_request
 */
export function requestTimeout(headers: IncomingHttpHeaders): ClientLimit | undefined {
  const value = headers[HEADER];
  if (value === undefined || value === '') return undefined;
  const ms = WHOLE.test(String(value)) ? Number(value) : Infinity;
  if (ms > LONGEST_DELAY_MS)
    throw new ServerError(
      'bad_request',
      `${HEADER}: expected whole milliseconds from 1 to ${LONGEST_DELAY_MS}, once, got ${excerpt(String(value))}`,
    );
  return { ms, header: HEADER };
}
