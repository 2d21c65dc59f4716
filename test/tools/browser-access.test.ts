import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { holds, missing, openBrowser, read, text, textOf } from './browser.ts';

const [KEY, NEXT] = ['S3cretMark+/S3cretMark==', 'S3cretMark-of-later'];

const open = openBrowser();

test(
  'a browser logs in to the page with a key, by its dialog or in the address, and is told when the key no longer counts',
  { skip: missing },
  async (t) => {
    const path = join(folder(), 'keys');
    writeFileSync(path, KEY);
    const env = { SCORING_KEYS_FILE: path, METRICS_KEY_REQUIRED: 'true', STATUS_PAGE: 'true' };
    const server = new ServerProcess(['--entry-script', 'echo.ts'], { env });
    t.after(() => server.stop());
    await server.ready();
    const url = await server.url('/status');
    const page = await open(t, 'about:blank');

    for (const password of ['wrong', `${KEY}x`]) {
      await page.authenticate({ username: 'me', password });
      const refused = await page.goto(url);
      assert.equal(refused?.status(), 401);
      assert.equal(await refused?.text(), await (await fetch(url)).text());
    }

    await page.authenticate({ username: 'anybody', password: KEY });
    assert.equal((await page.goto(url))?.status(), 200);
    await holds(page, `${text('#state-text')} === 'ready'`);

    const typed = await open(t, url.replace('//', `//me:${encodeURIComponent(KEY)}@`));
    await holds(typed, `${text('#state-text')} === 'ready'`);
    await page.bringToFront();

    writeFileSync(path, NEXT);
    await holds(page, `${text('#state-text')} === 'gone'`);
    assert.match(await textOf(page, '#trouble'), /the password no longer counts: load the page again/);
    await page.authenticate({ username: 'anybody', password: NEXT });
    await page.reload();
    await holds(page, `${text('#state-text')} === 'ready'`);
    assert.doesNotMatch(JSON.stringify(server.lines), /S3cretMark/);
  },
);

test('a page of an allowed origin scores with a key, also where the script speaks raw HTTP', { skip: missing }, async (t) => {
  const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<title>site</title>'));
  await once(site.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    site.closeAllConnections();
    site.close();
  });
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const page = await open(t, origin);
  for (const [script, answer] of [
    ['echo.ts', 200],
    ['raw-http.ts', 202],
  ] as const) {
    const server = new ServerProcess(['--entry-script', script], { env: { SCORING_KEYS: KEY, AML_CORS_ORIGINS: origin } });
    t.after(() => server.stop());
    await server.ready();
    const url = await server.url('/score');
    const status = (key: string): Promise<number> =>
      read(
        page,
        `fetch('${url}', { method: 'POST', headers: { 'api-key': '${key}', 'content-type': 'application/json' }, body: '{}' }).then(({ status }) => status)`,
      );
    assert.deepEqual([await status(KEY), await status('wrong')], [answer, 401], script);
  }
});
