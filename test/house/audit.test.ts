import assert from 'node:assert/strict';
import test from 'node:test';
import { judge } from '../../.setup/audit.ts';

/** A report of npm 11, with so many vulnerable packages of each severity. */
function report(counts: Record<string, number>): string {
  const names = Object.entries(counts).flatMap(([severity, count]) =>
    Array.from({ length: count }, (_, at) => [`${severity}-${at}`, severity]),
  );
  const vulnerabilities = Object.fromEntries(
    names.map(([name = '', severity]) => [name, { name, severity, range: '<1.2.3', fixAvailable: true }]),
  );
  const none = { info: 0, low: 0, moderate: 0, high: 0, critical: 0 };
  return JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities,
    metadata: { vulnerabilities: { ...none, ...counts, total: names.length }, dependencies: { prod: 199, total: 584 } },
  });
}

/** What npm 11 prints after an answer of the registry. */
const refusal = (statusCode: number): string =>
  JSON.stringify({
    message: `${statusCode} No - POST https://user:secret@registry.example/-/npm/v1/security/advisories/bulk`,
    method: 'POST',
    uri: 'https://user:secret@registry.example/-/npm/v1/security/advisories/bulk',
    headers: { allow: ['GET,HEAD'] },
    statusCode,
    body: '',
    error: { summary: '', detail: '' },
  });

for (const [counts, ok] of [
  [{}, true],
  [{ info: 1, low: 2, moderate: 3 }, true],
  [{ high: 1 }, false],
  [{ critical: 1 }, false],
  [{ low: 4, critical: 1, high: 2 }, false],
] as [Record<string, number>, boolean][])
  test(`an audit with ${JSON.stringify(counts)} ${ok ? 'succeeds' : 'fails'} and names each package`, () => {
    const verdict = judge(report(counts));
    assert.equal(verdict.ok, ok);
    for (const severity of Object.keys(counts)) assert.match(verdict.text, new RegExp(`^ {2}${severity}: ${severity}-0 <1\\.2\\.3$`, 'm'));
  });

for (const status of [404, 405, 501])
  test(`a registry that answers ${status} offers no audit, which one line says`, () => {
    const { ok, text } = judge(refusal(status));
    assert.equal(ok, true);
    assert.match(text, new RegExp(`^npm audit: this registry offers no audit \\(${status}\\), so no package was checked$`));
  });

for (const [what, output] of [
  ['a key that the registry refuses', refusal(401)],
  ['a registry that fails', refusal(503)],
  ['too many requests', refusal(429)],
  [
    'no connection',
    '{"message":"request to http://127.0.0.1:9/-/npm/v1 failed, reason: connect ECONNREFUSED","error":{"summary":"","detail":""}}',
  ],
  ['no output', ''],
  ['output that is no JSON', 'npm error code EUSAGE'],
  ['JSON that is no report', '[]'],
  ['JSON without counts', '{"vulnerabilities":{}}'],
  ['a number', '7'],
] as const)
  test(`an audit fails after ${what}, and shows no address`, () => {
    const { ok, text } = judge(output);
    assert.equal(ok, false);
    assert.match(text, /^npm audit/);
    assert.doesNotMatch(text, /secret|127\.0\.0\.1/);
  });
