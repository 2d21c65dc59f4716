import { tagOf } from '../guards/built-ins.ts';

/** The sample for one more run: the body of a web-standard Request can be read only once. */
export function fresh(sample: unknown): unknown {
  return isRequest(sample) ? sample.clone() : sample;
}

/** Why by its tag: see `isResponse`. */
function isRequest(value: unknown): value is Request {
  return tagOf.call(value) === '[object Request]';
}
