import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, type TestContext } from 'node:test';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { folder } from '../set-up/folder.ts';

/** Debian's package; `.ci/run` installs it. */
const CHROMIUM = '/usr/bin/chromium';
/** Why tests of pages are left out, if they are. */
export const missing = spawnSync(CHROMIUM, ['--version']).error !== undefined && 'chromium is not installed';
/** Of windows. */
export const HEIGHT = 900;

/**
 * A browser for the tests of one file. Returns what opens a page, which must not have errors until
 * its test ends.
 */
export function openBrowser(): (t: TestContext, url: string, width?: number) => Promise<Page> {
  let browser: Browser;
  before(async () => {
    if (missing) return;
    const home = folder();
    browser = await launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], userDataDir: home, env: { ...process.env, HOME: home } });
  });
  after(() => browser?.close());
  return async (t, url, width = 1600) => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => void errors.push(String(error)));
    // Chromium reports answers that are errors by itself.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text());
    });
    t.after(async () => {
      await page.close();
      assert.deepEqual(errors, []);
    });
    await page.setViewport({ width, height: HEIGHT });
    await page.goto(url);
    return page;
  };
}

/** Waits for an expression of the page, which has types of its own. */
export async function holds(page: Page, expression: string, timeout = 90_000): Promise<void> {
  await page.waitForFunction(expression, { timeout });
}
/** An expression for the text of an element. */
export const text = (selector: string): string => `document.querySelector('${selector}')?.textContent`;
/** The text of an element now. */
export const textOf = (page: Page, selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent ?? '');
/** The value of an expression of the page. */
export const read = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;
/** The values of a chart's legend, by the names of its curves. */
export const legend = (page: Page, id: string): Promise<Record<string, string>> =>
  read(
    page,
    `Object.fromEntries([...document.querySelectorAll('#${id} .legend li')].map((li) => [li.querySelector('span').textContent, li.querySelector('b')?.textContent ?? '']))`,
  );
/** The cells of a table's body. */
export const rows = (page: Page, id: string): Promise<string[][]> =>
  read(page, `[...document.querySelectorAll('#${id} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`);
