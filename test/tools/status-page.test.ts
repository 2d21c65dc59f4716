import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { load } from '../telemetry/load.ts';
import { HEIGHT, holds, legend, missing, openBrowser, read, rows, text, textOf } from './browser.ts';
import { fullSeries, plainSeries, StandIn } from './stand-in.ts';

/** Of the README and the docs; `UPDATE_DOCS=1` takes them anew. */
const screenshot = (name: string): `${string}.png` =>
  fileURLToPath(new URL(`../../deploy/${name}.png`, import.meta.url)) as `${string}.png`;
const SCREENSHOTS = [
  { name: 'status', width: 1600, scheme: 'light', whole: true },
  { name: 'status-dark', width: 1600, scheme: 'dark', whole: true },
  // Its beginning, because all of it is ten times as high as wide.
  { name: 'status-narrow', width: 400, scheme: 'light', whole: false },
] as const;
const update = process.env['UPDATE_DOCS'] === '1';

const open = openBrowser();

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
      assert.deepEqual(Object.keys(await legend(page, 'load')).slice(0, 3), ['waiting', 'at workers', 'most at workers: 32']);
      assert.match((await legend(page, 'loop'))['p99'] ?? '', / ms$/);
      assert.match((await legend(page, 'memory'))['host'] ?? '', /^\d+ MiB$/);
      assert.equal(await textOf(page, '#state-text'), 'ready');
      assert.equal(await textOf(page, 'h1'), 'ML service');
      assert.match((await rows(page, 'workers')).join('\n'), /^0,ready,\d+ MiB,[\d.]+ %,0$/);
      assert.match(await textOf(page, '#replacements'), /^None was replaced since the start\. Memory: [\d.]+ % of the limit\.$/);
      for (const id of ['cpu', 'memory']) assert.deepEqual(Object.keys(await legend(page, id)), ['host', 'worker 0']);
      assert.match(await textOf(page, '#facts'), /^Version\d+\.\d+\.\d+Modelridge.*Providercpu.*Up\d+ .*Errors[\d.]+ %/);
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
  assert.deepEqual(Object.keys(await legend(page, 'load')), ['waiting', 'at workers', 'most at workers: 32', 'most waiting: 256']);
  const [first, second] = await rows(page, 'workers');
  assert.match(first!.join('|'), /^0\|ready\|412 MiB\|[\d.]+ %\|0$/);
  assert.match(second!.join('|'), /^1\|starting\|208 MiB\|[\d.]+ %\|3$/);
  assert.equal(await textOf(page, '#replacements'), '3 replaced since the start: exit 1, memory 2. Memory: 43 % of the limit.');
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
