import { ServerError } from '../errors.ts';
import type { Exchange } from './exchange.ts';

const READ_ONLY = ['GET', 'HEAD', 'OPTIONS'];

/** Refuses a method, naming those that the route takes. */
export function methodNotAllowed(
  exchange: Exchange,
  allowed: readonly string[],
  message = 'The method is not allowed for the requested URL.',
): void {
  exchange.fail(new ServerError('method_not_allowed', message), ['Allow', allowed.join(', ')]);
}

/** A route that only shows something: GET and HEAD answer, OPTIONS tells the methods. Node leaves out the body of HEAD. */
export function readOnly(show: (exchange: Exchange) => void): (exchange: Exchange) => void {
  return (exchange) => {
    if (exchange.method === 'GET' || exchange.method === 'HEAD') return show(exchange);
    if (exchange.method !== 'OPTIONS') return methodNotAllowed(exchange, READ_ONLY);
    exchange.answer(200, ['Content-Type', 'text/html; charset=utf-8', 'Allow', READ_ONLY.join(', ')], '');
  };
}
