import type { TestContext } from 'node:test';
import { join } from 'node:path';
import { ServerProcess } from '../../e2e/start-server.ts';
import { SCRIPTS } from '../worker/python-workers.ts';

const FAST = { SERVICE_NAME: 'ep', MDC_DEPLOYMENT: 'blue', DRAIN_DELAY_MS: '0', PYTHONDONTWRITEBYTECODE: '1' };

/**
 * A server of a script in test/python/scripts, which may not start; it is ended after the test.
 * @param program of the workers; by default the server looks for one
 */
export function pythonServer(t: TestContext, script: string, env: Record<string, string>, program?: string): ServerProcess {
  const interpreter = program ?? process.env['TEST_PYTHON'];
  const server = new ServerProcess(['--entry-script', join(SCRIPTS, script)], {
    env: { ...FAST, ...(interpreter !== undefined && { AZUREML_INFERENCE_PYTHON_PATH: interpreter }), ...env },
  });
  t.after(() => server.stop());
  return server;
}

/** One that is ready. */
export function servePython(t: TestContext, script: string, env: Record<string, string>, program?: string): Promise<ServerProcess> {
  return pythonServer(t, script, env, program).ready();
}
