import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { holds, missing, openBrowser, text, textOf } from './browser.ts';

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
