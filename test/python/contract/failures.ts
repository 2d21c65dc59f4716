import type { Difference } from './contract.ts';

/** The body of an answer to an exception of run(). */
export const FAILED = { json: { message: 'An unexpected error occurred in scoring script. Check the logs for more info.' } };

/** The body of an answer to a value that cannot be answered. */
export const OPAQUE = { json: { message: 'An unexpected internal error occurred. Check the logs for more info.' } };

const HTML =
  '<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n';

/** The peer's front door answers where its application does not. */
export function bare(body: unknown): Difference {
  return {
    because: 'every request that was admitted gets JSON and its ids',
    peer: { 'content-type': 'text/html', body: HTML },
    ours: {
      'content-type': 'application/json',
      'x-ms-run-function-failed': 'True',
      'x-request-id': 'a new id',
      'x-ms-request-id': 'a new id',
      'x-ms-server-version': 'a version',
      body,
    },
  };
}
