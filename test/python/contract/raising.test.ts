import { contract, type Case, type Difference } from './contract.ts';
import { bare, FAILED } from './failures.ts';

const failed = { status: 500, 'x-ms-run-function-failed': 'True', body: FAILED };

/** The script ends its process. The peer's process lives on, or is replaced without a word. */
function lost(code: number): Difference {
  const { because, peer, ours } = bare({
    json: { message: `The worker that held this request ended (exit code ${code}) and is being replaced. Try again.` },
  });
  return { because, peer: { ...peer, status: 500 }, ours: { ...ours, status: 503, 'retry-after': '1' } };
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
  ...['GeneratorExit', 'a base exception'].map((what): Case => ({
    name: `answers ${what}`,
    body: what,
    differs: bare(FAILED),
  })),
  { name: 'answers KeyboardInterrupt', body: 'KeyboardInterrupt', differs: lost(130) },
  { name: 'answers SystemExit', body: 'SystemExit', differs: lost(1) },
  { name: 'answers after all that', body: 'still here', both: { status: 200 } },
]);
