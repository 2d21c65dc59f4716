import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { load } from '../telemetry/load.ts';
import { fullSeries, plainSeries, StandIn } from './stand-in.ts';

/** Debian's package; `.ci/run` installs it. */
const CHROMIUM = '/usr/bin/chromium';
const missing = spawnSync(CHROMIUM, ['--version']).error !== undefined && 'chromium is not installed';
/** Of the README and the docs; `UPDATE_DOCS=1` takes them anew. */
const screenshot = (name: string): `${string}.png` =>
  fileURLToPath(new URL(`../../deploy/${name}.png`, import.meta.url)) as `${string}.png`;
const SCREENSHOTS = [
  { name: 'status', width: 1600, scheme: 'light', whole: true },
  { name: 'status-dark', width: 1600, scheme: 'dark', whole: true },
  // Its beginning, because all of it is ten times as high as wide.
  { name: 'status-narrow', width: 400, scheme: 'light', whole: false },
] as const;
/** Of windows. */
const HEIGHT = 900;
const update = process.env['UPDATE_DOCS'] === '1';

let browser: Browser;
before(async () => {
  if (missing) return;
  const home = folder();
  browser = await launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], userDataDir: home, env: { ...process.env, HOME: home } });
});
after(() => browser?.close());

/** A page that must not have errors. */
async function open(t: TestContext, url: string, width = 1600): Promise<Page> {
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
}

/** Waits for an expression of the page, which has types of its own. */
async function holds(page: Page, expression: string, timeout = 90_000): Promise<void> {
  await page.waitForFunction(expression, { timeout });
}
const text = (selector: string): string => `document.querySelector('${selector}')?.textContent`;
const textOf = (page: Page, selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent ?? '');
const read = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;
/** The values of a chart's legend, by the names of its curves. */
const legend = (page: Page, id: string): Promise<Record<string, string>> =>
  read(
    page,
    `Object.fromEntries([...document.querySelectorAll('#${id} .legend li')].map((li) => [li.querySelector('span').textContent, li.querySelector('b')?.textContent ?? '']))`,
  );
const rows = (page: Page, id: string): Promise<string[][]> =>
  read(page, `[...document.querySelectorAll('#${id} tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))`);

test('the page draws a real server under load, and asks no other one', { skip: missing }, async (t) => {
  await withServer(
    ['--model', writeModel('ridge', folder())],
    async (server) => {
      await server.ready();
      const origin = await server.url();
      const page = await open(t, `${origin}/status`);
      const asked = new Set<string>();
      page.on('request', (request) => void asked.add(request.url().replace(origin, '')));
      await page.reload();
      const enough = new AbortController();
      const busy = underLoad(origin, enough.signal);
      // A test that fails stops the server before it waits for this.
      busy.catch(() => undefined);
      await holds(page, `/[1-9]/.test(${text('#requests .legend b')}) && /[1-9]/.test(${text('#batch .legend b')})`);
      const path = `document.querySelector('#requests .plot .line').getAttribute('d')`;
      // The docs' charts are full: their curves begin at the left.
      await holds(page, update ? `Number(${path}.slice(1).split(' ')[0]) < 75` : `${path}.split('L').length >= 5`, 150_000);

      const { p50, p90, p99, ...limits } = await legend(page, 'latency');
      assert.deepEqual(limits, { 'deadline: 60 s': '' });
      for (const value of [p50, p90, p99]) assert.match(value ?? '', /^[\d.]+ (?:µs|ms)$/);
      assert.ok(Number((await legend(page, 'batch'))['mean']) >= 1);
      assert.deepEqual(Object.keys(await legend(page, 'load')), ['waiting', 'at workers', 'most at workers: 32', 'most waiting: 256']);
      assert.match((await legend(page, 'loop'))['p99'] ?? '', / ms$/);
      assert.match((await legend(page, 'memory'))['host'] ?? '', /^\d+ MiB$/);
      assert.equal(await textOf(page, '#state-text'), 'ready');
      assert.match(await textOf(page, '#facts'), /Modelridge.*Providercpu.*Up\d+ .*Errors[\d.]+ %/);
      assert.match((await rows(page, 'models'))[0]!.join('|'), /^ridge\|cpu\|\d+\|on: .+\|[\d.]+ ms$/);
      for (const image of SCREENSHOTS) await compareScreenshot(page, image);
      enough.abort();
      await busy;
      assert.deepEqual(strange(asked), []);

      await server.stop();
      await holds(page, `${text('#state-text')} === 'gone'`);
      assert.match(await textOf(page, '#trouble'), /^The server has been gone since \d\d:\d\d:\d\d \(\d+ s\): the connection failed\./);
    },
    { env: { STATUS_PAGE: 'true', ACCESS_LOG: 'false' } },
  );
});

/** Paths that are neither /metrics nor files of the page. */
function strange(asked: ReadonlySet<string>): string[] {
  return [...asked].filter((path) => !/^\/(?:metrics|status|status\/[a-z-]+\.(?:js|css))$/.test(path));
}

/** Mostly good requests, and some that are the client's fault. */
async function underLoad(origin: string, enough: AbortSignal): Promise<void> {
  const body = JSON.stringify({ inputs: { X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] } });
  const repeat = async (requests: number, connections: number, bad = 0): Promise<void> => {
    while (!enough.aborted) {
      await load(`${origin}/score`, requests, connections, body);
      await load(`${origin}/score`, bad, 1, '{');
    }
  };
  // Loads that end at different times leave no second without one.
  await Promise.all([repeat(700, 4), repeat(500, 3), repeat(50, 1, 1)]);
}

/** Takes the docs' image anew, or shows that the page still has the size of that image. */
async function compareScreenshot(page: Page, { name, width, scheme, whole }: (typeof SCREENSHOTS)[number]): Promise<void> {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.setViewport({ width, height: HEIGHT });
  await holds(
    page,
    `document.querySelector('#requests .plot').viewBox.baseVal.width === document.querySelector('#requests .plot').clientWidth`,
  );
  const path = screenshot(name);
  if (update) await page.screenshot({ path, fullPage: whole });
  assert.ok(existsSync(path), `${path} is not there: run this test with UPDATE_DOCS=1`);
  // The sizes of a PNG are in its first chunk.
  const image = readFileSync(path);
  assert.equal(image.readUInt32BE(16), width, name);
  const height = whole ? await read<number>(page, 'document.documentElement.scrollHeight') : HEIGHT;
  const drawn = image.readUInt32BE(20);
  assert.ok(Math.abs(drawn / height - 1) < 0.1, `${name} is ${drawn} high, and the page ${height}: run this test with UPDATE_DOCS=1`);
}

test('a restart is a gap in the curves, never a negative rate', { skip: missing }, async (t) => {
  let scored = 10_000;
  let started = 1_700_000_000;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = { ...plainSeries((scored += 100)), process_start_time_seconds: started });
  const page = await open(t, standIn.url);
  // Each value that is shown, of any time.
  await read(
    page,
    `new MutationObserver(() => {
      for (const each of document.querySelectorAll('.legend b, .tiles dd')) if (/[-−]\\d/.test(each.textContent)) throw new Error(each.textContent);
    }).observe(document.body, { subtree: true, childList: true, characterData: true })`,
  );
  await standIn.scraped(4);
  await read(
    page,
    `new MutationObserver(() => (window.heard = [...(window.heard ?? []), ${text('#news')}])).observe(document.querySelector('#news'), { childList: true })`,
  );
  [scored, started] = [0, started + 60];
  await standIn.scraped(4);
  await holds(page, `document.querySelector('#requests .restart') !== null`);
  const path = await page.$eval('#requests .plot .line', (line) => line.getAttribute('d') ?? '');
  assert.equal(path.split('M').length - 1, 2, `two runs of the curve: ${path}`);
  assert.deepEqual(await read(page, 'window.heard'), ['The server was started anew. It is ready.']);
  const plot = await page.$eval('#requests .axis', (axis) => Number(/M\d+ ([\d.]+)H/.exec(axis.getAttribute('d') ?? '')?.[1]));
  for (const [, y] of path.matchAll(/[ML][\d.]+ ([-\d.]+)/g)) assert.ok(Number(y) <= plot, `a point below 0: ${path}`);
});

test('a server that is gone is told, with the reason and since when, and comes back by itself', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = plainSeries((scored += 50)));
  const page = await open(t, standIn.url);
  await holds(page, `/[1-9]/.test(${text('#tiles dd')})`);
  const troubles = [
    [(response) => response.writeHead(503).end(), '/metrics answered 503'],
    [(response) => response.destroy(), 'the connection failed'],
    [(response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in'), 'something else'],
  ] as const satisfies [StandIn['trouble'], string][];
  for (const [trouble, reason] of troubles) {
    standIn.trouble = trouble;
    await holds(page, `${text('#trouble')}.includes('${reason}')`);
    assert.match(await textOf(page, '#trouble'), /gone since \d\d:\d\d:\d\d \(\d+ s\)/);
    assert.equal(await textOf(page, '#tiles dd'), '–', 'an old number is no number of now');
    assert.match(await textOf(page, '#replacements'), /^As of the last answer\. /);
    assert.match(await page.title(), /^gone · /);
  }
  const since = /since (\S+)/.exec(await textOf(page, '#trouble'))?.[1];
  assert.ok(since !== undefined);
  assert.match(await textOf(page, '#news'), /^The server is gone: /);
  standIn.trouble = undefined;
  await holds(page, `document.querySelector('#trouble').hidden && ${text('#state-text')} === 'ready'`);
  assert.equal(await textOf(page, '#news'), 'The server is ready.');
  standIn.before = () => (standIn.series = { ...plainSeries(scored), server_ready: 0 });
  await holds(page, `${text('#state-text')} === 'not ready'`);
});

test('the pointer shows the values of its time in all legends', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  // The growth of each scrape is another one.
  standIn.before = () => (standIn.series = plainSeries((scored += 100 * standIn.scrapes ** 2)));
  const page = await open(t, standIn.url);
  await standIn.scraped(6);
  assert.equal(await textOf(page, '#requests .unit'), 'per second');
  const now = (await legend(page, 'requests'))['answered'];
  await page.hover('#latency .plot');
  await holds(page, `/^\\d\\d:\\d\\d:\\d\\d$/.test(${text('#requests .unit')}) && document.querySelector('#requests .cursor') !== null`);
  assert.notEqual((await legend(page, 'requests'))['answered'], now, 'the middle of the chart is long ago');
  await page.hover('h1');
  await holds(page, `${text('#requests .unit')} === 'per second' && document.querySelector('#requests .cursor') === null`);
});

test('servers that answer in turn are told', { skip: missing }, async (t) => {
  let turn = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = { ...plainSeries(turn++), process_start_time_seconds: 1_700_000_000 + (turn % 2) });
  const page = await open(t, standIn.url);
  await holds(page, `${text('#trouble')}.startsWith('More than one server answers')`);
});

test('what the server does not have is hidden, and what it has is shown', { skip: missing }, async (t) => {
  const standIn = await StandIn.open(t, plainSeries());
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  const shown = (): Promise<string[]> =>
    read(
      page,
      `[...document.querySelectorAll('section')].filter(({ hidden }) => !hidden).map((section) => section.querySelector('h2').textContent)`,
    );
  assert.deepEqual(await shown(), ['Traffic', 'Capacity', 'Host and workers', 'Models and losses']);
  assert.equal(await page.$eval('#workers table', ({ hidden }) => hidden), true);
  assert.equal(await page.$eval('#inferences', (figure) => (figure as unknown as { hidden: boolean }).hidden), true);

  let scored = 0;
  standIn.before = () => (standIn.series = fullSeries((scored += 100)));
  await standIn.scraped(4);
  assert.deepEqual(await shown(), ['Traffic', 'Capacity', 'Host and workers', 'GPU', 'Collection', 'Telemetry', 'Models and losses']);
  assert.equal(await textOf(page, 'h1'), 'credit-risk');
  assert.match(await textOf(page, '#facts'), /^Version1\.4\.2Modelridge/);
  const [first, second] = await rows(page, 'workers');
  assert.match(first!.join('|'), /^0\|ready\|412 MiB\|[\d.]+ %\|0$/);
  assert.match(second!.join('|'), /^1\|starting\|208 MiB\|[\d.]+ %\|3$/);
  assert.equal(await textOf(page, '#replacements'), '3 replaced since the start: exit 1, memory 2.');
  const losses = (await rows(page, 'losses')).map((row) => row.slice(0, 2).join(': '));
  assert.deepEqual(losses, [
    'Log lines: ',
    'Collected records: queue_full',
    'Bodies of collected records: request, memory',
    'Telemetry items: request, queue_full',
  ]);
  assert.deepEqual(Object.keys(await legend(page, 'records')), ['queued', 'sent', 'spilled', 'sampled out', 'dropped']);
  assert.deepEqual(Object.keys(await legend(page, 'backlog-size')), ['in memory', 'in the spool']);
  assert.equal((await legend(page, 'gpu-use'))['GPU 0'], '63 %');
  assert.match(await textOf(page, '#errors .legend b'), /^2\.9\d? %$/);
  assert.match(await textOf(page, '#last-delivery'), /^Last delivery to the sink \d+ s ago\.$/);
  assert.deepEqual(strange(standIn.asked), [], 'the page stays behind its prefix');
});

test('text of the server is never read as HTML', { skip: missing }, async (t) => {
  const evil = '<img src=x onerror=alert(1)>';
  const escaped = evil.replaceAll('"', '\\"');
  const standIn = await StandIn.open(t, {
    ...fullSeries(100),
    [`server_info{service="${escaped}",version="${escaped}"}`]: 1,
    [`session_info{model="${escaped}",provider="${escaped}",intra_op_threads="1",batching="on",batching_reason="${escaped}"}`]: 1,
    [`worker_info{worker="${escaped}",state="${escaped}"}`]: 1,
    [`scoring_failures_total{code="${escaped}"}`]: 5,
    [`mdc_dropped_total{reason="${escaped}"}`]: 5,
  });
  delete standIn.series['server_info{service="credit-risk",version="1.4.2"}'];
  const page = await open(t, standIn.url);
  page.on('dialog', () => assert.fail('a script of the server ran'));
  await standIn.scraped(3);
  await page.click('#tables');
  assert.equal(await textOf(page, 'h1'), evil);
  for (const id of ['models', 'workers', 'losses'])
    assert.ok(
      (await rows(page, id)).flat().some((cell) => cell.includes(evil)),
      id,
    );
  assert.ok(`failed: ${evil}` in (await legend(page, 'failures')));
  assert.equal(await read(page, `document.querySelectorAll('img, [onerror]').length`), 0);
});

test('a keyboard reaches all that can be set, in order and with a visible focus', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = fullSeries((scored += 100)));
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  const focused = async (): Promise<string> => {
    await page.keyboard.press('Tab');
    const outline = await read<string>(
      page,
      `getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth`,
    );
    assert.equal(outline, 'solid3px');
    return read(page, `document.activeElement.id || document.activeElement.getAttribute('aria-label')`);
  };
  assert.equal(await focused(), 'range');
  await page.keyboard.press('ArrowDown');
  await holds(page, `${text('#lost-recently')} === 'Last 5 minutes'`);
  assert.equal(await focused(), 'pause');
  await page.keyboard.press('Space');
  await holds(page, `document.querySelector('#pause').ariaPressed === 'true' && /^Stands at /.test(${text('#held')})`);
  const stands = await textOf(page, '#requests');
  await standIn.scraped(3);
  assert.equal(await textOf(page, '#requests'), stands, 'charts stand while they are paused');
  await page.keyboard.press('Enter');
  await holds(page, `document.querySelector('#pause').ariaPressed === 'false' && document.querySelector('#held').hidden`);
  assert.equal(await focused(), 'tables');
  await page.keyboard.press('Space');
  await holds(page, `document.querySelector('#requests .values tbody tr') !== null`);
  assert.equal(await focused(), 'Values: Requests', 'a table that scrolls can be scrolled by keys');
  const [row] = await rows(page, 'requests');
  assert.match(row!.join('|'), /^\d\d:\d\d:\d\d\|[\d,.]+\/s\|[\d,.]+\/s\|[\d,.]+\/s$/);
});

test('a screen reader hears landmarks, headings, tables and charts, and news only when there is some', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = fullSeries((scored += 100)));
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  await read(
    page,
    `new MutationObserver((changes) => (window.told = (window.told ?? 0) + changes.length)).observe(document.querySelector('#news'), { childList: true, characterData: true, subtree: true })`,
  );
  await read(
    page,
    `new MutationObserver((changes) => (window.named = (window.named ?? 0) + changes.length)).observe(document.querySelector('#requests .plot'), { attributes: true, attributeFilter: ['aria-label'] })`,
  );
  const tree = await nodes(page);
  const named = (role: string): string[] => tree.filter((node) => node.role === role).map(({ name }) => name);
  assert.equal(named('banner').length, 1);
  assert.equal(named('main').length, 1);
  assert.deepEqual(named('region'), ['Traffic', 'Capacity', 'Host and workers', 'GPU', 'Collection', 'Telemetry', 'Models and losses']);
  const headings = tree.filter(({ role }) => role === 'heading');
  assert.deepEqual(
    headings.slice(0, 4).map(({ name, level }) => `${level} ${name}`),
    ['1 credit-risk', '2 Now', '2 Traffic', '3 Requests'],
  );
  headings.reduce((last, { level = 0, name }) => (assert.ok(level <= last + 1, `${name} skips a level`), level), 0);
  assert.deepEqual(named('columnheader').slice(0, 5), ['Worker', 'State', 'Memory', 'CPU', 'Restarts']);
  assert.deepEqual(named('rowheader').slice(0, 2), ['0', '1']);
  assert.ok(named('table').includes('Workers'));
  const images = named('image');
  assert.equal(images.length, await read(page, `[...document.querySelectorAll('figure')].filter(({ hidden }) => !hidden).length`));
  assert.match(images[0]!, /^Requests, last 2 minutes\. answered: .* now, lowest .*, highest .*\. client errors: /);
  assert.deepEqual(named('combobox'), ['Time range']);
  assert.deepEqual(named('button'), ['Pause', 'Show values']);
  assert.equal(await read(page, `document.querySelectorAll('[aria-live], [role=status], [role=alert]').length`), 1);
  await standIn.scraped(5);
  assert.equal(await read(page, 'window.told ?? 0'), 0, 'a poll is no news');
  assert.ok((await read<number>(page, 'window.named ?? 0')) <= 1, 'the text of a chart changes rarely');
});

interface Node {
  readonly role: string;
  readonly name: string;
  readonly level: number | undefined;
}

/** The accessibility tree of Chromium, in the order of the page. */
async function nodes(page: Page): Promise<Node[]> {
  const session = await page.createCDPSession();
  const { nodes: all } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const byId = new Map(all.map((node) => [node.nodeId, node]));
  const ordered: Node[] = [];
  const visit = (id: string): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const level = node.properties?.find(({ name }) => name === 'level')?.value.value as number | undefined;
    if (!node.ignored) ordered.push({ role: String(node.role?.value), name: String(node.name?.value ?? ''), level });
    for (const child of node.childIds ?? []) visit(child);
  };
  visit(all[0]!.nodeId);
  return ordered;
}

test('contrast is that of WCAG AA, light and dark, in each state', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = fullSeries((scored += 100)));
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  await page.click('#tables');
  const check = async (state: string): Promise<void> => {
    for (const scheme of ['light', 'dark']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      const { seen, low } = await read<{ seen: number; low: string[] }>(page, CONTRASTS);
      assert.ok(seen > 100, `${seen} elements`);
      assert.deepEqual(low, [], `${state}, ${scheme}`);
    }
  };
  await check('ready');
  await page.click('#pause');
  await check('paused');
  standIn.before = () => (standIn.series = { ...fullSeries(scored), server_ready: 0 });
  await holds(page, `${text('#state-text')} === 'not ready'`);
  await check('not ready');
  standIn.trouble = (response) => response.writeHead(500).end();
  await holds(page, `${text('#state-text')} === 'gone'`);
  await check('gone');
});

/**
 * The contrasts of all texts (4.5) and curves and borders of controls (3) with what is behind them,
 * by WCAG 2.2's formula. An opaque background is that of the nearest element that has one.
 */
const CONTRASTS = `(() => {
  const parts = (colour) => {
    const [, numbers] = /rgba?\\(([^)]+)\\)/.exec(colour) ?? [];
    if (numbers === undefined) throw new Error('not a colour that this test reads: ' + colour);
    return numbers.split(/[, /]+/).map(Number);
  };
  const luminance = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, index) => sum + each * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour[3] === undefined || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const contrast = (a, b) => { const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
  const low = [];
  let seen = 0;
  const check = (element, colour, background, least) => {
    seen++;
    const found = contrast(parts(colour), background);
    if (found < least) low.push(element.tagName + '.' + element.getAttribute('class') + ' ' + element.textContent.slice(0, 30) + ': ' + found.toFixed(2));
  };
  for (const element of document.querySelectorAll('body *')) {
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (own) check(element, element instanceof SVGElement ? style.fill : style.color, behind(element), 4.5);
    if (element.matches('.line, .limit, .restart, .cursor, .axis')) check(element, style.stroke, behind(element), 3);
    if (element.matches('select, button:not([aria-pressed=true])')) check(element, style.borderColor, behind(element.parentElement), 3);
  }
  return { seen, low };
})()`;

test('nothing is cut off or overlaps, from 320 to 2560 pixels', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  const long = 'a-service-with-a-name-that-is-longer-than-a-narrow-screen-is-wide';
  standIn.before = () => {
    scored += 123_456;
    standIn.series = { ...fullSeries(scored), [`server_info{service="${long}",version="1.4.2-rc.1+build.2026.11.29"}`]: 1 };
    delete standIn.series['server_info{service="credit-risk",version="1.4.2"}'];
  };
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  await page.click('#tables');
  for (const width of [320, 400, 768, 1100, 1600, 2560]) {
    await page.setViewport({ width, height: HEIGHT });
    await holds(
      page,
      `[...document.querySelectorAll('figure:not([hidden]) .plot')].every((plot) => plot.viewBox.baseVal.width === plot.clientWidth)`,
    );
    assert.deepEqual(await read(page, LAYOUT_FAULTS), [], `${width} pixels`);
  }
});

/** Texts that leave the page or their card, and texts of a chart that touch each other. */
const LAYOUT_FAULTS = `(() => {
  const faults = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);
  const box = (element) => element.getBoundingClientRect();
  const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  for (const plot of document.querySelectorAll('figure:not([hidden]) .plot')) {
    const texts = [...plot.querySelectorAll('text')];
    texts.forEach((each, index) => {
      const own = box(each);
      const outer = box(plot);
      const name = plot.closest('figure').id + ': ' + each.textContent;
      if (own.left < outer.left - 1 || own.right > outer.right + 1 || own.bottom > outer.bottom + 1) faults.push(name + ' is cut off');
      for (const other of texts.slice(index + 1)) if (touch(own, box(other))) faults.push(name + ' touches ' + other.textContent);
    });
  }
  for (const element of document.querySelectorAll('dt, dd, th, td, h1, h2, h3, .legend li, button, select, p')) {
    if (!element.checkVisibility() || element.closest('.values, .unseen') || element.matches('.unseen')) continue;
    const outer = box(element.closest('.card, .tiles > div') ?? document.body);
    if (box(element).right > outer.right + 1 || element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
      faults.push(element.tagName + ' is too wide: ' + element.textContent);
  }
  return faults;
})()`;

test('a hidden tab asks nothing, and its absence is a gap', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = plainSeries((scored += 10)));
  const page = await open(t, standIn.url);
  await standIn.scraped(3);
  // Headless tabs are never hidden, and a test does not wait for the ten seconds of a gap.
  await read(
    page,
    `Object.defineProperty(document, 'hidden', { get: () => window.away === true, configurable: true }), (window.away = true)`,
  );
  const other = await StandIn.open(t, {});
  other.before = () => (other.series = plainSeries());
  const clock = await open(t, other.url);
  await other.scraped(2);
  const asked = standIn.scrapes;
  await other.scraped(4);
  assert.equal(standIn.scrapes, asked, 'a hidden tab asks nothing');
  await clock.bringToFront();
  scored += 1_000_000;
  await read(
    page,
    `performance.now = ((now) => () => now.call(performance) + 60_000)(performance.now), (window.away = false), document.dispatchEvent(new Event('visibilitychange'))`,
  );
  await standIn.scraped(4);
  const highest = await page.$$eval('#requests .tick', (ticks) => ticks.map((tick) => tick.textContent ?? ''));
  assert.ok(!highest.some((tick) => /\d{4}/.test(tick.replaceAll(',', ''))), `no rate of the absence: ${highest.join(' ')}`);
  assert.match(await page.$eval('#requests .plot .line', (line) => line.getAttribute('d') ?? ''), /M.*M/);
});

test('a reader who wants less motion sees the charts move rarely', { skip: missing }, async (t) => {
  let scored = 0;
  const standIn = await StandIn.open(t, {});
  standIn.before = () => (standIn.series = plainSeries((scored += 10)));
  const page = await open(t, 'about:blank');
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await page.goto(standIn.url);
  await standIn.scraped(2);
  await read(
    page,
    `new MutationObserver(() => (window.drawn = (window.drawn ?? 0) + 1)).observe(document.querySelector('#requests .plot'), { childList: true })`,
  );
  await standIn.scraped(4);
  assert.ok((await read<number>(page, 'window.drawn ?? 0')) <= 1);
  assert.equal(await read(page, `document.getAnimations().length`), 0);
});
