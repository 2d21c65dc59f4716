import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';

const FAST = { SERVICE_NAME: 'ep', MDC_DEPLOYMENT: 'blue', DRAIN_DELAY_MS: '0' };

/** An empty folder that goes with the test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'collected-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A server that is ready, and is ended after the test. @param script of test/scripts */
export async function serve(t: TestContext, script: string, env: Record<string, string>): Promise<ServerProcess> {
  const server = new ServerProcess(['--entry-script', script], { env: { ...FAST, ...env } });
  t.after(() => server.stop());
  return server.ready();
}

/** Ends it as platforms do: what was collected is delivered then. */
export async function stop(server: ServerProcess): Promise<void> {
  server.child.kill('SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
}

/** Contents of all files below a folder, by their names from there. */
export function files(root: string): Map<string, Buffer> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(root, name)).isFile());
  return new Map(names.map((name) => [name, readFileSync(join(root, name))]));
}
