import { peerNames } from './subjects/all.ts';
import type { Figure, Results } from './results.ts';
import { median } from './statistics.ts';

interface Target {
  readonly text: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
  readonly unit?: string;
  readonly measured: (results: Results) => number | undefined;
  /** Something to read the number beside. */
  readonly beside?: ((results: Results) => string) | undefined;
}

const rate = (row: string, subject: string, base: string, connections: number): Target['measured'] => {
  return (results) => results.ratio(row, [subject, base], connections, 'requestsPerSecond');
};

/** The naive server with default threads is what users write; this is what it could be. */
const besideTuned = (row: string, connections: number, figure: Figure): Target['beside'] => {
  return (results) => `naive-1t: ${results.ratio(row, ['ours', 'naive-1t'], connections, figure)?.toFixed(2) ?? '-'}`;
};

/** One target for each of the rows. */
const rates = (bounds: Readonly<Record<string, number>>, base: string, connections: number): Target[] =>
  Object.entries(bounds).map(([row, atLeast]) => ({
    text: `requests/s over ${base}, ${row}, ${connections} connections`,
    bound: { atLeast },
    measured: rate(row, 'ours', base, connections),
    ...(base === 'naive' && { beside: besideTuned(row, connections, 'requestsPerSecond') }),
  }));

const cpu = (row: string, atMost: number): Target => ({
  text: `CPU a request over naive, ${row}, 32 connections`,
  bound: { atMost },
  measured: (results) => results.ratio(row, ['ours', 'naive'], 32, 'cpuMicroseconds'),
  beside: besideTuned(row, 32, 'cpuMicroseconds'),
});

/** The loop has no connections; ours is loaded enough to be always busy. */
const ceiling = (row: string, subject: string): Target => ({
  text: `rows/s over the raw loop, ${row}${subject === 'ours' ? '' : ', binary tensors'}, 8 connections`,
  bound: { atLeast: 0.97 },
  measured: (results) => {
    const [served, looped] = [results.figure(row, subject, 8, 'requestsPerSecond'), results.figure(row, 'raw', 1, 'requestsPerSecond')];
    return served === undefined || looped === undefined ? undefined : served / looped;
  },
});

/** The cost of data collection. */
const rateOver = (atLeast: number, subject: string, what: string): Target => ({
  text: `requests/s with ${what} collected to files over none, ridge, 32 connections`,
  bound: { atLeast },
  measured: rate('ridge', subject, 'ours', 32),
  beside: (results) => `CPU a request: ${results.ratio('ridge', [subject, 'ours'], 32, 'cpuMicroseconds')?.toFixed(2) ?? '-'}`,
});

/** The same score.py under this server and under Azure ML's, with as many processes. */
const scripts: Target[] = ['ridge-sklearn', 'ridge', 'mlp'].flatMap((row): Target[] => [
  {
    text: `requests/s of the same score.py over azureml, ${row}, 32 connections`,
    bound: { atLeast: 3 },
    measured: rate(row, 'ours-python', 'azureml', 32),
    beside: (results) => `CPU a request: ${results.ratio(row, ['ours-python', 'azureml'], 32, 'cpuMicroseconds')?.toFixed(2) ?? '-'}`,
  },
  {
    text: `\`GET /health/live\` p99 beside that score.py, ${row}`,
    bound: { atMost: 10 },
    unit: 'ms',
    measured: (results) => results.probeP99Ms(row, 'ours-python', 32),
    beside: (results) =>
      `ours: ${results.probeP99Ms(row, 'ours', 32)?.toFixed(1) ?? '-'} ms, azureml: ${results.probeP99Ms(row, 'azureml', 32)?.toFixed(0) ?? '-'} ms`,
  },
]);

const otherPeers = peerNames.filter((name) => name !== 'azureml' && name !== 'fastapi');

/** All targets, in the order of the report. */
const targets: readonly Target[] = [
  cpu('ridge', 0.85),
  cpu('mlp', 0.82),
  ...rates({ ridge: 1.4, mlp: 1.45, gbdt: 1.3 }, 'naive', 32),
  ...rates({ ridge: 1.6, mlp: 1.6 }, 'naive', 128),
  ...rates({ ridge: 1.1, mlp: 1.1 }, 'cluster', 128),
  ...rates({ ridge: 1 }, 'bare', 128),
  rateOver(0.9, 'ours-collects', 'every request'),
  rateOver(0.97, 'ours-collects-10', '10 % of the requests'),
  {
    text: 'requests/s with binary tensors over naive with JSON, mlp, 32 connections',
    bound: { atLeast: 4 },
    measured: rate('mlp', 'ours-binary', 'naive', 32),
  },
  ceiling('minilm128', 'ours'),
  ceiling('resnet50', 'ours'),
  ceiling('resnet50', 'ours-binary'),
  ...rates({ ridge: 10, mlp: 5 }, 'azureml', 32),
  ...scripts,
  ...rates({ ridge: 3, mlp: 2.5 }, 'fastapi', 32),
  ...otherPeers.flatMap((peer) => rates({ ridge: 5, mlp: 5 }, peer, 32)),
  {
    text: 'p50 over naive, ridge, 1 connection',
    bound: { atMost: 1.5 },
    measured: (results) => results.ratio('ridge', ['ours', 'naive'], 1, 'p50Ms'),
  },
  {
    text: '`GET /health/live` p99 while resnet50 is loaded with 8 connections',
    bound: { atMost: 10 },
    unit: 'ms',
    measured: (results) => results.probeP99Ms('resnet50', 'ours', 8),
    beside: (results) => `naive: ${results.probeP99Ms('resnet50', 'naive', 8)?.toFixed(0) ?? '-'} ms`,
  },
  {
    text: 'start to ready over `node -e 0`, ridge',
    bound: { atMost: 400 },
    unit: 'ms',
    measured: (results) => {
      const [ready, bare] = [results.start('ridge', 'ours', 'readyMs'), median(results.bareNodeMs)];
      return ready === undefined || bare === undefined ? undefined : ready - bare;
    },
    beside: (results) => `\`node -e 0\`: ${median(results.bareNodeMs)?.toFixed(0) ?? '-'} ms`,
  },
  {
    text: 'PSS of host and one worker after load, ridge',
    bound: { atMost: 220 },
    unit: 'MB',
    measured: (results) => {
      const bytes = results.start('ridge', 'ours', 'loadedPssBytes');
      return bytes === undefined ? undefined : bytes / 1e6;
    },
  },
];

export interface Verdict {
  readonly text: string;
  readonly wanted: string;
  readonly measured: string;
  readonly met: string;
}

export function verdicts(results: Results): Verdict[] {
  return targets.map(({ text, bound, unit, measured, beside }) => {
    const value = measured(results);
    const suffix = unit === undefined ? '' : ` ${unit}`;
    const met = value !== undefined && ('atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost);
    return {
      text,
      wanted: `${'atLeast' in bound ? `>= ${bound.atLeast}` : `<= ${bound.atMost}`}${suffix}`,
      measured:
        value === undefined
          ? 'not measured'
          : `${value.toFixed(unit === undefined ? 2 : 1)}${suffix}${beside ? ` (${beside(results)})` : ''}`,
      met: value === undefined ? '-' : met ? 'yes' : 'NO',
    };
  });
}
