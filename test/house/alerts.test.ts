import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { tableRowsOf } from './markdown.ts';

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const rules = read('deploy/prometheus/alerts.yaml');
const runbook = read('docs/runbook.md');
/** Each alert with its part of the file. */
const alerts = Array.from(rules.matchAll(/- alert: (\w+)\n([\s\S]*?)(?=\n\s*(?:#|- )|$)/g), ([, name = '', text = '']) => ({ name, text }));
/** Sections of the runbook, by heading. */
const sections = new Map(
  runbook
    .split('\n## ')
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

test('each alert has its section in the runbook, in the same order, and links to it', () => {
  assert.ok(alerts.length > 10);
  assert.deepEqual(
    alerts.map(({ name }) => name),
    [...sections.keys()],
  );
  for (const { name, text } of alerts) assert.match(text, new RegExp(`runbook_url: docs/runbook\\.md#${name.toLowerCase()}$`, 'm'), name);
});

test('each section says what the alert means, what to look at, and what to do', () => {
  for (const [name, section] of sections) assert.match(section, /^\w+\n\n[A-Z][\s\S]+\n\n- \*\*Look at\*\* [\s\S]+\n- \*\*Do\*\*/, name);
});

test('each threshold has its reason, each alert a severity and a summary', () => {
  for (const { name, text } of alerts) {
    assert.match(text, /labels: \{ severity: (?:critical|warning|info) \}/, name);
    assert.match(text, /summary: '.*\{\{ \$labels\.instance \}\}.*'/, name);
    assert.match(rules.split(`- alert: ${name}\n`)[0] ?? '', /# [^\n]+\n\s*$/, name);
  }
});

/** Others' metrics: of Prometheus, of Node, of the platform. */
const OTHERS = /^(?:process|nodejs|container)_/;
const METRIC = /\b(?:scoring|inference|worker|model|server|session|telemetry|mdc|gpu|log|tls|process|nodejs|container)_[a-z0-9_]+/g;

test('every metric of the alerts, the runbook and the dashboard is in the reference', () => {
  const known = new Set(tableRowsOf(read('docs/metrics.md')).map(({ cells }) => (cells[0] ?? '').replaceAll('`', '')));
  const failures = read('docs/failures.md');
  const unknown = [
    ['deploy/prometheus/alerts.yaml', Array.from(rules.matchAll(METRIC), ([name]) => name)],
    ['docs/runbook.md', Array.from(runbook.matchAll(METRIC), ([name]) => name).filter((name) => !failures.includes(`\`${name}\``))],
    ['deploy/grafana/dashboard.json', Array.from(read('deploy/grafana/dashboard.json').matchAll(METRIC), ([name]) => name)],
  ].flatMap(([file = '', names]) =>
    (names as string[])
      .filter((name) => !OTHERS.test(name) && !known.has(name) && !known.has(name.replace(/_(?:bucket|sum|count)$/, '')))
      .map((name) => `${String(file)}: ${name}`),
  );
  assert.deepEqual(unknown, []);
});
