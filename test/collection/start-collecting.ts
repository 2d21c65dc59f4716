import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';

const FAST = { SERVICE_NAME: 'ep', MDC_DEPLOYMENT: 'blue', DRAIN_DELAY_MS: '0' };

/** A server that is ready, and is ended after the test. @param script of test/scripts */
export async function serve(t: TestContext, script: string, env: Record<string, string>): Promise<ServerProcess> {
  const server = new ServerProcess(['--entry-script', script], { env: { ...FAST, ...env } });
  t.after(() => server.stop());
  return server.ready();
}

/** Contents of all files below a folder, by their names from there. */
export function files(root: string): Map<string, Buffer> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(root, name)).isFile());
  return new Map(names.map((name) => [name, readFileSync(join(root, name))]));
}
