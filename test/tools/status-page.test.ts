import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, type Browser } from 'puppeteer-core';
import { withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { load } from '../telemetry/load.ts';

/** Debian's package; `.ci/run` installs it. */
const CHROMIUM = '/usr/bin/chromium';
const missing = spawnSync(CHROMIUM, ['--version']).error !== undefined && 'chromium is not installed';
/** Of the README; `UPDATE_DOCS=1` takes it anew. */
const SCREENSHOT = fileURLToPath(new URL('../../deploy/status.png', import.meta.url)) as `${string}.png`;

const update = process.env['UPDATE_DOCS'] === '1';

async function browse(t: TestContext): Promise<Browser> {
  const home = folder();
  const browser = await launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox'],
    userDataDir: home,
    env: { ...process.env, HOME: home },
  });
  t.after(() => browser.close());
  return browser;
}

test('the page draws /metrics while they change, and asks no other server', { skip: missing }, async (t) => {
  const browser = await browse(t);
  await withServer(
    ['--model', writeModel('ridge', folder())],
    async (server) => {
      await server.ready();
      const origin = await server.url();
      const page = await browser.newPage();
      await page.setViewport({ width: 1010, height: 556 });
      const asked = new Set<string>();
      const errors: string[] = [];
      page.on('request', (request) => void asked.add(request.url().replace(origin, '')));
      page.on('pageerror', (error) => void errors.push(String(error)));
      page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
      await page.goto(`${origin}/status`);

      const enough = new AbortController();
      const busy = (async () => {
        const body = JSON.stringify({ inputs: { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] } });
        while (!enough.signal.aborted) await load(`${origin}/score`, 200, 8, body);
      })();
      const shown = (id: string): Promise<string> => page.$eval(`#${id} output`, (output) => output.textContent ?? '');
      // Expressions of the page, which has types of its own.
      const holds = async (expression: string): Promise<void> => void (await page.waitForFunction(expression, { timeout: 90_000 }));
      const text = (selector: string): string => `document.querySelector('${selector}')?.textContent`;
      // Latencies and rows are known only where something was scored between two looks.
      await holds(`/[1-9]/.test(${text('#throughput output')}) && /[1-9]/.test(${text('#batch output')})`);
      await holds(`document.querySelector('#throughput polyline')?.getAttribute('points').split(' ').length >= ${update ? 25 : 5}`);
      assert.match(await shown('latency'), /^[\d.]+ ms {2}· {2}[\d.]+ ms {2}· {2}[\d.]+ ms$/);
      assert.ok(Number(await shown('batch')) >= 1);
      assert.match(await shown('workers'), /^1 {2}· {2}32 {2}· {2}\d+ {2}· {2}0$/);
      assert.match(await shown('drops'), /^0 {2}· {2}0$/);
      assert.match(await shown('queue'), /^\d+ {2}· {2}\d+$/);
      assert.match(await shown('failures'), /^0 {2}· {2}0$/);
      assert.match(await shown('loop'), /ms$/);
      assert.equal(await page.$eval('#state', (state) => state.textContent), 'ready');
      assert.match(await page.$eval('#models', (models) => models.textContent ?? ''), /^ridge: cpu, \d+ threads, batching on$/);
      if (update) await page.screenshot({ path: SCREENSHOT });
      enough.abort();
      await busy;

      // Failures show, and so does a server that is gone.
      await load(`${origin}/score`, 50, 4, '{');
      await holds(`/[1-9]/.test(${text('#failures output')})`);
      assert.deepEqual([...asked].toSorted(), ['/metrics', '/status']);
      assert.deepEqual(errors, []);
      await server.stop();
      await holds(`${text('#state')}.startsWith('no metrics')`);
    },
    { env: { STATUS_PAGE: 'true', ACCESS_LOG: 'false' } },
  );
});
