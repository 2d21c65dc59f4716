import { contract, type Case, type Difference, type Subject } from './contract.ts';
import { OPAQUE } from './failures.ts';

/** Sends the name of what run() returns. */
function returns(what: string, differs?: Difference): Case {
  return { name: `answers ${what}`, body: what, ...(differs === undefined ? {} : { differs }) };
}

const asJson = [
  'None',
  'a dictionary',
  'an empty dictionary',
  'a list',
  'an empty list',
  'text',
  'an empty text',
  'text beyond ASCII',
  'text that is JSON',
  'a lone surrogate',
  'a whole number',
  'a large whole number',
  'a fraction',
  'a whole fraction',
  'a tiny number',
  'minus zero',
  'True',
  'False',
  'a tuple',
  'a named tuple',
  'an ordered dictionary',
  'a counter',
  'names that are numbers',
  'a number of an enumeration',
  'a text of an enumeration',
  'a subclass of text',
  'float64 of numpy',
  'a deep list',
  'a list of numbers by tolist()',
  'records of a frame',
  'JSON of a frame',
  'a list and a status',
  'a dictionary with defaults',
  'a subclass of a number',
  'numbers with exponents',
  'numbers beyond doubles',
  'a name twice',
  'NaN as a name',
  'a text of numpy',
  'a number of numpy as a name',
  'columns of a frame',
  'one megabyte',
];

const withoutJson = [
  'a name that is a tuple',
  'a frame',
  'a series',
  'a time stamp of pandas',
  'bytes',
  'a byte array',
  'a set',
  'a frozen set',
  'a decimal',
  'a ratio',
  'a complex number',
  'a date and time',
  'a date',
  'a duration',
  'a UUID',
  'a path',
  'a range',
  'a member of an enumeration',
  'a data class',
  'an exception',
  'a class',
  'a function',
  'an object',
  'the values of a dictionary',
  "a user's dictionary",
  'a chain of dictionaries',
  'a read-only dictionary',
  'a deque',
  'a namespace',
  'a missing value of pandas',
  'a date of numpy',
  'a generator inside',
  'an answer inside',
  'a circle',
  'a list that is too deep',
];

const notFinite = (peer: string, ours: unknown): Difference => ({
  because: 'JSON has no such number: an answer has its name as text',
  peer: { body: { notJson: peer } },
  ours: { body: { json: ours } },
});

const opaque = { status: 500, body: OPAQUE };

const encoded = (json: unknown): Difference => ({
  because: 'an array has a JSON form: that of its tolist()',
  peer: opaque,
  ours: { status: 200, 'x-ms-run-fn-exec-ms': 'milliseconds', body: { json } },
});

const streamed = (body: string, type: string): Difference => ({
  because: 'an iterator is an answer in parts',
  peer: { ...opaque, 'content-type': 'application/json' },
  ours: { status: 200, 'content-type': type, 'x-ms-run-fn-exec-ms': 'milliseconds', body },
});

const subject: Subject = { script: 'returns.py', besidePeersPackages: true };

contract('what run() returns', subject, [
  ...asJson.map((what): Case => ({ ...returns(what), both: { status: 200, 'content-type': 'application/json' } })),
  returns('NaN', notFinite('NaN', 'NaN')),
  returns('infinity', notFinite('[Infinity, -Infinity]', ['Infinity', '-Infinity'])),
  ...withoutJson.map((what): Case => ({ ...returns(what), both: { status: 500, 'x-ms-run-function-failed': 'False', body: OPAQUE } })),
  returns('an array', encoded([1])),
  returns('a list of arrays', encoded({ result: [[1]] })),
  returns('int64 of numpy', encoded(1)),
  returns('float32 of numpy', encoded([1.5])),
  returns('bool of numpy', encoded(true)),
  returns('a generator', streamed('1\n2\n', 'application/x-ndjson')),
  returns('an iterator', streamed('1\n2\n', 'application/x-ndjson')),
  returns('a map', streamed('1', 'text/plain; charset=utf-8')),
]);
