/**
 * `npm run test:soak`: ten minutes of random requests and random losses; writes bench/soak.md.
 * SOAK_SECONDS and SOAK_SEED change the run.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { check } from './check.ts';
import { soak, type Report } from './soak.ts';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 600);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 2 ** 32);
assert.ok(seconds > 0 && Number.isFinite(seed), 'SOAK_SECONDS and SOAK_SEED: expected numbers');

process.stderr.write(`soaking for ${seconds} s, seed ${seed} ...\n`);
const report = await soak({ seconds, seed });
const text = markdown(report);
process.stdout.write(text);
if (process.env['SOAK_SECONDS'] === undefined) writeFileSync(fileURLToPath(new URL('../../bench/soak.md', import.meta.url)), text);
check(report);

function markdown({
  sent,
  answers,
  losses,
  restarts,
  records,
  collectedBytes,
  hostRssMb,
  probeMs,
  inFlightAfterwards,
  exit,
}: Report): string {
  const table = (head: string, rows: Iterable<readonly [string, number | string]>): string =>
    [`| ${head} | |`, '|---|---|', ...Array.from(rows, ([name, value]) => `| ${name} | ${value} |`)].join('\n');
  const mb = (value: number): string => value.toFixed(0);
  const ms = (value: number): string => value.toFixed(1);
  return `# The soak

\`npm run test:soak\`: ${seconds} s, seed ${seed}, 32 connections, 2 workers,
a fifth of the requests collected to files. A loss is a signal to a worker, or a request that breaks
it from within, every two seconds on average. Node ${process.version}, ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}.

${table('requests', [['sent', sent], ...Object.entries(answers)])}

\`reset\` is a connection that broke although its client had not left. \`truncated\` is a stream
whose worker was lost after its first chunk.

${table('losses', losses)}

${table('replacements, by cause', restarts)}

${table('collected records, by result', [...records, ['bytes of files', collectedBytes]])}

${table('host', [
  ['RSS after a fifth of the time, MB', mb(hostRssMb.first)],
  ['RSS at the end, MB', mb(hostRssMb.last)],
  ['highest RSS, MB', mb(hostRssMb.highest)],
  ['liveness probe p50, ms', ms(probeMs.p50)],
  ['liveness probe p99, ms', ms(probeMs.p99)],
  ['longest liveness probe, ms', ms(probeMs.longest)],
  ['requests in flight afterwards', inFlightAfterwards],
  ['exit code after SIGTERM', String(exit.code)],
])}
`;
}
