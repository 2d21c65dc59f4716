import { contract, type Case, type Difference } from './contract.ts';

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
  'a type in lower case',
  'JSON with another type',
  'headers',
  'a header with commas',
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
  'what JSON lacks',
  'a number',
  'a dictionary without json_str',
  'changed later',
  'a type that is set later',
  'a cookie that is set later',
];

contract(
  'AMLResponse',
  { script: 'answers.py', besidePeersPackages: true },
  same.map((what) => answer(what)),
);

const ofFlask = ['a response', 'a failed response', 'a stream', 'bytes', 'several headers', 'a redirect', 'an exception of HTTP', 'abort'];

contract(
  'answers of Flask',
  { script: 'flask_answers.py', onlyBesidePeersPackages: true },
  ofFlask.map((what) => answer(what)),
);
