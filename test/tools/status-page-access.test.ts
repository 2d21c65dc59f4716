import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'puppeteer-core';
import { HEIGHT, holds, missing, openBrowser, read, rows, text, textOf } from './browser.ts';
import { fullSeries, plainSeries, StandIn } from './stand-in.ts';

const open = openBrowser();

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
