import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CollectionCounts } from '../../../server/collection/counts.ts';
import { addAccessMetrics } from '../../../server/telemetry/access-metrics.ts';
import { addCollectionMetrics } from '../../../server/telemetry/collection-metrics.ts';
import { addGpuMetrics } from '../../../server/telemetry/gpu-metrics.ts';
import { Metrics } from '../../../server/telemetry/metrics.ts';
import { addTlsMetrics } from '../../../server/telemetry/tls-metrics.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const dashboard = JSON.parse(readFileSync(new URL('../../../deploy/grafana/dashboard.json', import.meta.url), 'utf8')) as Dashboard;
const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
const OURS = /\b(?:scoring|inference|worker|model|server|session|telemetry|mdc|gpu|log|tls|process|nodejs)_\w+/g;
const missing = spawnSync('promtool', ['--version']).error !== undefined;

/** Names of series by metric, and the labels that a metric may have. */
async function known(): Promise<{ series: Set<string>; labels: Set<string> }> {
  const { registry } = new Metrics();
  addAccessMetrics(registry, { byKey: new Map(), missing: 0, wrong: 0 });
  addCollectionMetrics(registry, 'file', () => new CollectionCounts());
  addGpuMetrics(registry, { read: () => [] });
  addTlsMetrics(registry, { expiresAt: 0, failures: new Map() });
  const metrics = await registry.getMetricsAsJSON();
  const series = metrics.flatMap(({ name, type }) =>
    String(type) === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  );
  return {
    series: new Set(series),
    labels: new Set([
      'route',
      'code',
      'reason',
      'cause',
      'model',
      'release',
      'item',
      'key',
      'collection',
      'result',
      'sink',
      'worker',
      'state',
      'gpu',
      'service',
      'version',
      'le',
      'instance',
      'job',
    ]),
  };
}

test('every metric that the dashboard asks for exists', async () => {
  const { series } = await known();
  const asked = new Set(
    [...expressions, ...dashboard.templating.list.map(({ definition = '' }) => definition)].flatMap((text) => text.match(OURS) ?? []),
  );
  assert.ok(asked.size > 15);
  assert.deepEqual(
    [...asked].filter((name) => !series.has(name)),
    [],
  );
});

test('every metric of ours is on the dashboard, but for those that are labels only', async () => {
  const shown = new Set(expressions.flatMap((text) => text.match(OURS) ?? []).map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
  const own = [...(await known()).series].map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  assert.deepEqual(
    [...new Set(own)].filter((name) => !/^(?:process|nodejs)_/.test(name) && !shown.has(name)),
    ['inference_provider_info'],
  );
});

test('every expression asks for a metric of ours, of the chosen servers', () => {
  for (const expression of expressions) {
    const names = expression.match(OURS) ?? [];
    assert.ok(names.length > 0, expression);
    assert.equal(expression.split('{job=~"$job",instance=~"$instance"}').length - 1, names.length, expression);
  }
});

test('legends and groups use labels that there are', async () => {
  const { labels } = await known();
  for (const { targets } of dashboard.panels)
    for (const { expr, legendFormat } of targets) {
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      assert.deepEqual(
        [...grouped, ...shown].filter((label) => !labels.has(label)),
        [],
        expr,
      );
      for (const label of shown) assert.ok(grouped.includes(label), `${legendFormat} needs ${label} in ${expr}`);
    }
});

test('panels have numbers of their own and do not overlap', () => {
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const taken = new Set<string>();
  for (const { title, gridPos } of dashboard.panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.ok(x < 24 && !taken.has(`${x},${y}`), title);
        taken.add(`${x},${y}`);
      }
});

test('promtool can read every expression', { skip: missing && 'promtool is not installed' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const rules = expressions.map((expr, index) => ({ record: `r:${index}`, expr: expr.replaceAll('$__rate_interval', '1m') }));
  const file = join(folder, 'rules.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
