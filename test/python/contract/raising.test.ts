import { contract, type Case, type Difference } from './contract.ts';

const FAILED = { json: { message: 'An unexpected error occurred in scoring script. Check the logs for more info.' } };
const failed = { status: 500, 'x-ms-run-function-failed': 'True', body: FAILED };

const HTML =
  '<html>\n  <head>\n    <title>Internal Server Error</title>\n  </head>\n  <body>\n    <h1><p>Internal Server Error</p></h1>\n    \n  </body>\n</html>\n';

/** The peer's front door answers where its application does not. */
function bare(body: unknown): Difference {
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

const exceptions = [
  'ValueError',
  'KeyError',
  'an exception without a text',
  'an exception with a status',
  'an exception with a cause',
  'a group',
  'RecursionError',
  'MemoryError',
  'StopIteration',
  'AssertionError',
  'UnicodeDecodeError',
  'SyntaxError',
  'ImportError',
  'OSError',
  'ConnectionError',
];

contract('what run() raises', { script: 'raises.py', besidePeersPackages: true }, [
  ...exceptions.map((what): Case => ({ name: `hides ${what}`, body: what, both: failed })),
  { name: 'hides an exception whose text raises', body: 'an exception whose text raises', both: failed },
  {
    name: 'tells TimeoutError of a script from its own deadline',
    body: 'TimeoutError',
    differs: {
      because: "the server's deadline did not pass: run() raised, as with every other exception",
      peer: { body: { json: { message: 'Scoring timeout after 3600000 ms' } } },
      ours: { body: FAILED },
    },
  },
  ...['GeneratorExit', 'a base exception', 'KeyboardInterrupt'].map((what): Case => ({
    name: `answers ${what}`,
    body: what,
    differs: bare(FAILED),
  })),
  { name: 'answers SystemExit', body: 'SystemExit', differs: bare(FAILED) },
  { name: 'answers after all that', body: 'still here', both: { status: 200 } },
]);
