/** The load generator: wrk, a process of its own that costs little beside what it measures. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate, type Shot } from './load.ts';
import type { Load } from './subject.ts';

/** Finds wrk, or installs it with apt-get. @returns its version */
export function prepareWrk(): string {
  const found = version();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    process.stderr.write('wrk is not installed: installing it with apt-get ...\n');
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', '--no-install-recommends', 'wrk'],
    ])
      spawnSync('apt-get', args, { stdio: ['ignore', 2, 2], env: environment });
  }
  const installed = version();
  if (installed === undefined)
    throw new Error('the bench needs wrk on the PATH (Debian, Ubuntu: apt-get install wrk; macOS is not supported)');
  return installed;
}

const version = (): string | undefined => /^wrk (\S+)/.exec(spawnSync('wrk', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1];

/**
 * One thread keeps so many connections busy: each sends its next request when the last one is
 * answered.
 */
export async function wrk({ url, headers, body, folder, seconds, connections }: Shot): Promise<Load> {
  const [script, content] = [join(folder, 'load.lua'), join(folder, 'body')];
  writeFileSync(content, body);
  writeFileSync(script, scriptOf(headers, content));
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url];
  return parseWrk(await generate(url, 'wrk', args));
}

const MARK = 'SUMMARY ';

/**
 * `%q` of Lua and JSON agree on strings without control characters, which paths and headers are.
 */
const scriptOf = (headers: Readonly<Record<string, string>>, content: string): string => `
wrk.method = "POST"
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join('\n')}
local file = assert(io.open(${JSON.stringify(content)}, "rb"))
wrk.body = file:read("*a")
file:close()
done = function(summary, latency)
  local e = summary.errors
  print(string.format(${JSON.stringify(`${MARK}%d %d %d %d %d`)}, summary.requests - e.status, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Reads the line that the script prints: answers that were no errors, microseconds, errors. */
export function parseWrk(output: string): Load {
  const line = output.split('\n').find((text) => text.startsWith(MARK));
  const [requests, duration, p50, p99, errors] = (line ?? '').slice(MARK.length).split(' ').map(Number);
  if (requests === undefined || duration === undefined || p50 === undefined || p99 === undefined || errors === undefined)
    throw new Error(`wrk gave no summary but:\n${output}`);
  return { requests, seconds: duration / 1e6, p50Ms: p50 / 1000, p99Ms: p99 / 1000, errors };
}
