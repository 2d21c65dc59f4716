import { contract, type Case, type Difference } from './contract.ts';
import { bare, FAILED, OPAQUE } from './failures.ts';

const answer = (what: string, differs?: Difference): Case => ({
  name: `answers ${what}`,
  body: what,
  ...(differs === undefined ? {} : { differs }),
});

const same = [
  'None',
  'JSON',
  'JSON of a text',
  'text',
  'an empty text',
  'bytes',
  'text with a type',
  'JSON text with a type',
  'headers',
  'a date in a header',
  'a cookie',
  'an id of its own',
  'failed',
  '400',
  '404',
  '422',
  '429',
  '500',
  '503',
  '599',
  '302',
  '304',
  'a status as text',
  'a generator',
  'a generator with a type',
  'an empty generator',
  'a list of texts',
  'a tuple of texts',
  'a file',
  'a named status',
  '206',
  'an empty header',
  'a header beyond ASCII',
  'a header of 60,000 characters',
  'a content encoding',
  'by position',
  'by name',
  'what JSON lacks',
  'changed later',
  'a type that is set later',
  'a cookie that is set later',
];

contract('AMLResponse', { script: 'answers.py', besidePeersPackages: true }, [
  ...same.map((what) => answer(what)),
  answer('a type in lower case', {
    because: 'an answer has one content type',
    peer: { 'content-type': 'text/html; charset=utf-8, text/csv' },
    ours: { 'content-type': 'text/csv' },
    beside: { 'content-type': 'text/html; charset=utf-8, text/csv' },
  }),
  answer('JSON with another type', {
    because: 'an answer has one content type',
    peer: { 'content-type': 'application/json, text/plain' },
    ours: { 'content-type': 'application/json' },
    beside: { 'content-type': 'application/json, text/plain' },
  }),
  answer('a header with commas', {
    because: 'the value of a header is never split at its commas',
    peer: { 'x-mine': 'a, b, c' },
    ours: { 'x-mine': 'a, b,c' },
    beside: { 'x-mine': 'a, b, c' },
  }),
  answer('a dictionary without json_str', {
    because: 'a dictionary is JSON; the peer answers its names',
    peer: { 'content-type': 'text/html; charset=utf-8', body: 'a' },
    ours: { 'content-type': 'application/json', body: { json: { a: 1 } } },
    beside: { 'content-type': 'text/html; charset=utf-8', body: 'a' },
  }),
  answer('a number', bare(FAILED)),
  // Werkzeug makes 0 of it.
  answer('no number as a status', { ...bare(FAILED), beside: { ...bare(OPAQUE).ours, 'x-ms-run-function-failed': 'False' } }),
  answer('a header with a line end', {
    because: 'run() has returned: what HTTP cannot carry is told as what JSON cannot',
    peer: { 'x-ms-run-function-failed': 'True', body: FAILED },
    ours: { 'x-ms-run-function-failed': 'False', body: OPAQUE },
    beside: { 'x-ms-run-function-failed': 'True', body: FAILED },
  }),
  answer('NaN', {
    because: 'every answer of JSON can be read',
    peer: { body: { notJson: '{"a": NaN}' } },
    ours: { body: { json: { a: 'NaN' } } },
    beside: { body: { notJson: '{"a": NaN}' } },
  }),
]);

const failedHeader: Difference = {
  because: 'every answer of /score says whether run() failed',
  peer: {},
  ours: { 'x-ms-run-function-failed': 'False' },
};

contract('answers of Flask', { script: 'flask_answers.py', onlyBesidePeersPackages: true }, [
  ...['a response', 'a stream', 'bytes', 'several headers', 'a redirect'].map((what) => answer(what, failedHeader)),
  answer('a failed response'),
  answer('an exception of HTTP'),
  answer('abort', {
    because: 'an exception that carries an answer is answered with it',
    peer: { status: 500, 'x-ms-run-function-failed': 'True', body: FAILED },
    ours: {
      status: 404,
      'x-ms-run-function-failed': 'False',
      body: {
        json: {
          message:
            'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
        },
      },
    },
  }),
]);
