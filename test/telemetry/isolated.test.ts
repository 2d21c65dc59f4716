import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { SCRIPTS } from '../e2e/start-server.ts';
import { KEY } from './ingestion-server.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** In namespaces of its own: every file system read-only, and no network but the loopback. */
const isolated = (command: string): string[] => [
  '-rnm',
  'sh',
  '-c',
  `mount --make-rprivate / && mount -o remount,bind,ro / && ip link set lo up && ${command}`,
];
const impossible = spawnSync('unshare', isolated('true')).status !== 0;

/** Starts a server, scores, and ends it. Prints the facts that the test asserts. */
const PROGRAM = `
  const { spawn } = await import('node:child_process');
  const { createInterface } = await import('node:readline');
  const { writeFileSync } = await import('node:fs');
  let writable = true;
  try { writeFileSync('${SCRIPTS}written', ''); } catch { writable = false; }
  const child = spawn(process.execPath, ['${MAIN}', '--host', '127.0.0.1', '--port', '0', '--entry-script', '${SCRIPTS}echo.ts'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const seen = [];
  let port;
  createInterface({ input: child.stdout }).on('line', async (text) => {
    const line = JSON.parse(text);
    seen.push(line.msg);
    if (line.msg === 'listening') port = line.port;
    if (line.msg === 'telemetry ends; not all of it was delivered') seen.push(line.dropped);
    if (line.msg !== 'ready') return;
    const answer = await fetch('http://127.0.0.1:' + port + '/score', { method: 'POST', body: '[1]', headers: { 'content-type': 'application/json' } });
    seen.push(answer.status);
    child.kill('SIGTERM');
  });
  process.on('SIGTERM', () => child.kill('SIGKILL'));
  child.on('close', (code) => console.log(JSON.stringify({ code, seen, writable })));
`;

test(
  'with a read-only root and no network the server starts, answers and stops as always',
  { skip: impossible && 'needs namespaces' },
  () => {
    const { stdout, stderr } = spawnSync('unshare', isolated(`exec '${process.execPath}' --input-type=module -e "$PROGRAM"`), {
      encoding: 'utf8',
      timeout: 120_000,
      env: {
        PATH: process.env['PATH'],
        PROGRAM,
        APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${KEY};IngestionEndpoint=https://ingestion.invalid/`,
        DRAIN_DELAY_MS: '0',
        DRAIN_TIMEOUT_MS: '60000',
      },
    });
    assert.equal(stderr, '');
    const { code, seen, writable } = JSON.parse(stdout) as { code: number; seen: unknown[]; writable: boolean };
    assert.deepEqual([code, writable], [0, false]);
    assert.ok(seen.includes(200), JSON.stringify(seen));
    assert.deepEqual(seen.at(-1), 'drained');
    assert.deepEqual(
      seen.filter((each) => typeof each === 'object'),
      [{ unreachable: 1 }],
    );
  },
);
