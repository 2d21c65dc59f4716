import assert from 'node:assert/strict';
import test from 'node:test';
import { CloudEvents } from '../../../server/collection/encode/cloud-events.ts';
import { settings } from '../../collection/start-writer.ts';
import { collect, files } from './collect-records.ts';

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, "Type System". */
// oxlint-disable-next-line no-control-regex
const STRING = /^[^\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]*$/;
/** RFC 3986: a path of a URI-reference, whose parts have no other characters than these. */
const URI = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+)+$/;

function check(event: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(event)) {
    if (name === 'data' || name === 'data_base64') continue;
    assert.match(name, /^[a-z0-9]{1,20}$/);
    if (typeof value === 'number') assert.ok(Number.isInteger(value), name);
    else assert.ok(typeof value === 'string' && STRING.test(value) && value.isWellFormed(), `${name}: ${JSON.stringify(value)}`);
  }
  assert.match(String(event['source']), URI);
  assert.match(String(event['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(Number.isFinite(Date.parse(String(event['time']))));
}

/** The event of rows that a script collected. */
function rows(head: Partial<Parameters<CloudEvents['rows']>[1]>, chosen = settings): Record<string, unknown> {
  let line = '';
  const events = new CloudEvents(chosen, files, 'a/1', ({ data }) => (line = data.toString()));
  events.rows('model_inputs', { id: '1', time: 0, ...head }, Buffer.from('[{"a":1}]'));
  return JSON.parse(line) as Record<string, unknown>;
}

test('the source of every service is a URI-reference that decodes to its name', async () => {
  for (const endpoint of [
    'ml-service',
    'é p',
    'ML service',
    '100%',
    '"quoted"',
    '%41',
    '漢字',
    '😀',
    'a?b#c',
    '[x]',
    '^`{|}',
    '\ud800',
    "!*'()",
  ]) {
    const { events } = await collect({ body: ['1'] }, files, { endpoint, deployment: `blue ${endpoint}` });
    for (const event of events) check(event);
    const [, , name, , deployment] = String(events[0]?.['source']).split('/').map(decodeURIComponent);
    assert.deepEqual([name, deployment], [endpoint.toWellFormed(), `blue ${endpoint.toWellFormed()}`]);
  }
});

test('attributes have valid values, whatever clients and scripts send', async () => {
  const ugly = 'a\tb\u0085\u007f\ud800\ufdd0\uffff\u{1fffe}"é\\';
  const clean = 'a\ufffdb\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"é\\';
  const event = rows({ id: ugly, modelVersion: ugly, headers: { tenant: ugly } });
  check(event);
  for (const name of ['correlationid', 'xrequestid', 'modelversion', 'tenant']) assert.equal(event[name], clean, name);
  const { events } = await collect({ id: 'a\tb\x85', url: '/sc\x80ore?a=1', headers: ['x-tenant', 'a\tb\x85'], body: ['1'], answer: '2' });
  for (const each of events) check(each);
  assert.deepEqual(
    [events[0]?.['correlationid'], events[0]?.['path'], events[0]?.['xtenant']],
    ['a\ufffdb\ufffd', '/sc\ufffdore', 'a\ufffdb\ufffd'],
  );
});

test('headers are attributes of at most 20 letters and digits, each of its own', async () => {
  const captureHeaders = [
    'x-forwarded-client-cert-issuer',
    'x-forwarded-client-cert-subject',
    'x-a-b',
    'x-ab',
    'x-header-name-is-long9',
    'source',
    '-',
  ];
  const headers = captureHeaders.flatMap((name) => [name.toUpperCase(), `of ${name}`]);
  const { events } = await collect({ headers: [...headers, 'x-ab', 'again'], body: ['1'] }, files, { captureHeaders });
  for (const each of events) check(each);
  const names = ['xforwardedclientcert', 'xforwardedclientcer2', 'xab', 'xab2', 'xheadernameislong9'];
  assert.deepEqual(
    names.map((name) => events[0]?.[name]),
    ['of x-forwarded-client-cert-issuer', 'of x-forwarded-client-cert-subject', 'of x-a-b', 'of x-ab, again', 'of x-header-name-is-long9'],
  );
  assert.match(String(events[0]?.['source']), /^\/services/);
  const fixed = rows({ headers: { 'collect-data-type': 'x', 'correlation-id': 'y', time: 'z' } });
  assert.deepEqual([fixed['collectdatatype'], fixed['correlationid']], ['pandas.core.frame.DataFrame', '1']);
});

test('a time that RFC 3339 cannot write is now', () => {
  for (const time of [Number.MAX_VALUE, -1, Date.UTC(9999, 11, 31, 23, 59, 59) + 1000, 8.64e15, Number.NaN, -8.64e15]) {
    const event = rows({ time });
    check(event);
    assert.ok(Math.abs(Date.parse(String(event['time'])) - Date.now()) < 600_000, String(time));
  }
  assert.equal(rows({ time: Date.UTC(9999, 11, 31, 23, 59, 59) })['time'], '9999-12-31T23:59:59Z');
  assert.equal(rows({ time: 999 })['time'], '1970-01-01T00:00:00Z');
});
