import { contract, type Case } from './contract.ts';

const FAILED = { json: { message: 'An unexpected error occurred in scoring script. Check the logs for more info.' } };
const failed = { status: 500, 'x-ms-run-function-failed': 'True', body: FAILED };

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
  { name: 'hides an exception whose text raises', body: 'an exception whose text raises' },
  { name: 'takes TimeoutError of a script', body: 'TimeoutError' },
  ...['GeneratorExit', 'a base exception', 'KeyboardInterrupt', 'SystemExit'].map((what): Case => ({
    name: `outlives ${what}`,
    body: what,
  })),
  { name: 'answers after all that', body: 'still here', both: { status: 200 } },
]);
