// Reads /metrics of the same server every second and draws them. Nothing comes from elsewhere.
import { ChartView } from './chart-view.js';
import { byId, setText } from './elements.js';
import { History } from './history.js';
import { parseMetrics, sumOf } from './metrics-text.js';
import { showNumbers } from './numbers.js';
import { PANELS } from './panels.js';
import { span, timeOfDay } from './units.js';

const EVERY_MS = 1000;
/** A server that does not answer /metrics in this time is gone: it takes milliseconds. */
const ANSWER_MS = 5000;
/** Texts that screen readers read are renewed at this pace. */
const TELL_MS = 15_000;
/** Less motion: charts move at this pace where the reader's system asks for it. */
const CALM_MS = 5000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * The page's state. `gone`: since when the server does not answer, and why. `paused`: the time at
 * which the charts stand. `skew`: how far the server's clock is ahead, in ms.
 */
const page = {
  history: new History(),
  samples: new Map(),
  gone: null,
  skew: 0,
  range: 120_000,
  paused: null,
  tables: false,
  cursor: null,
  drawn: -Infinity,
  frame: 0,
  told: -Infinity,
  state: 'loading',
};
const views = PANELS.map((panel) => {
  const view = new ChartView(panel, (at) => {
    page.cursor = at;
    drawSoon();
  });
  const cards = document.querySelector(`[data-group="${panel.group}"]`);
  cards.insertBefore(view.figure, cards.querySelector('.card:not(figure)'));
  return view;
});

/** Polls while the tab is seen. After a longer absence the next scrape is a new baseline. */
async function follow() {
  for (;;) {
    if (document.hidden) await new Promise((seen) => document.addEventListener('visibilitychange', seen, { once: true }));
    // A fault of the page costs one drawing, never the polls.
    await poll().catch((error) => console.error(error));
    await new Promise((over) => setTimeout(over, EVERY_MS));
  }
}

async function poll() {
  try {
    await scrape();
    page.gone = null;
  } catch (error) {
    page.gone ??= { since: Date.now() };
    page.gone.why = reasonOf(error);
    page.history.miss(Date.now());
  }
  showState();
  if (page.paused === null) showNumbers(shownNow());
  if (performance.now() - page.drawn >= pace()) drawCharts();
}

/** Time between two drawings in ms: charts of an hour move by a pixel in some seconds. */
function pace() {
  return Math.max(EVERY_MS / 2, page.range / 600, calm.matches ? CALM_MS : 0);
}

async function scrape() {
  // Beside the page, so that a gateway may put a prefix before both.
  const headers = { Accept: 'text/plain' };
  // Not the page's own base, which may have the password that a user typed into the address.
  const address = new URL('metrics', location.href);
  const answer = await fetch(address, { headers, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
  if (answer.status === 401) throw new Error('the password no longer counts: load the page again');
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  const samples = parseMetrics(await answer.text());
  if (!samples.has('server_ready')) throw new Error('/metrics answered something else than this server’s metrics');
  const now = Date.now();
  const theirs = Date.parse(answer.headers.get('date') ?? '');
  if (!Number.isNaN(theirs)) page.skew = theirs - now;
  page.samples = samples;
  page.history.add(samples, now, performance.now());
}

function reasonOf(error) {
  if (error.name === 'TimeoutError') return `no answer in ${ANSWER_MS / 1000} s`;
  // Browsers give a connection that failed no other name.
  return error instanceof TypeError ? 'the connection failed' : error.message;
}

/** The state of the server, which is shown also while the charts are paused. */
function showState() {
  const state = page.gone !== null ? 'gone' : sumOf(page.samples, 'server_ready') === 1 ? 'ready' : 'not ready';
  const service = serviceName();
  setText(byId('service'), service);
  document.title = `${state} · ${service}`;
  byId('state').dataset.state = state;
  setText(byId('state-text'), state);
  showTrouble();
  const news = newsOf(state);
  if (news !== '') byId('news').textContent = news;
  page.state = state;
}

/** What has changed, for screen readers. Empty: nothing. */
function newsOf(state) {
  if (page.history.steps.at(-1)?.restarted && page.gone === null) return `The server was started anew. It is ${state}.`;
  if (state === page.state) return '';
  return state === 'gone' ? `The server is gone: ${page.gone.why}.` : `The server is ${state}.`;
}

function showTrouble() {
  const { gone, history } = page;
  byId('trouble').hidden = gone === null && !history.alternates;
  if (gone !== null) {
    const ago = span((Date.now() - gone.since) / 1000);
    setText(
      byId('trouble'),
      `The server has been gone since ${timeOfDay(gone.since)} (${ago}): ${gone.why}. This page asks again every second.`,
    );
  } else if (history.alternates) {
    setText(
      byId('trouble'),
      'More than one server answers at this address in turn, so rates are not known. Open the page at one of them, past the load balancer.',
    );
  }
}

function serviceName() {
  const [info] = page.samples.get('server_info') ?? [];
  return info?.labels.service || 'scoring-server';
}

/** Draws the charts. While paused, they stay at the time of the pause. */
function drawCharts() {
  page.drawn = performance.now();
  const to = page.paused ?? Date.now();
  const from = to - page.range;
  const tells = page.drawn - page.told >= TELL_MS;
  const { samples, history, tables, cursor } = page;
  const columns = history.columns(from, to);
  // The first scrape has no rates yet, so that its texts are no use for 15 s.
  if (tells && columns.length > 1) page.told = page.drawn;
  const view = { samples, history, columns, from, to, cursor, tables, tells, range: `last ${rangeName()}` };
  for (const chart of views) chart.show(view);
  for (const cards of document.querySelectorAll('[data-group]'))
    cards.parentElement.hidden = [...cards.children].every(({ hidden }) => hidden);
}

/** Draws once before the next frame, however often it is called. */
function drawSoon() {
  cancelAnimationFrame(page.frame);
  page.frame = requestAnimationFrame(drawCharts);
}

/** Shows at once what the reader asked for. */
function redraw() {
  page.told = -Infinity;
  if (page.paused === null) showNumbers(shownNow());
  drawCharts();
}

/** What `showNumbers` reads. */
function shownNow() {
  const { samples, history, gone, skew, range } = page;
  return { samples, history, gone: gone !== null, skew, range, rangeName: rangeName() };
}

function rangeName() {
  return byId('range').selectedOptions[0].textContent;
}

byId('range').addEventListener('change', ({ target }) => {
  page.range = Number(target.value) * 1000;
  redraw();
});
byId('pause').addEventListener('click', ({ currentTarget }) => {
  page.paused = page.paused === null ? Date.now() : null;
  currentTarget.setAttribute('aria-pressed', String(page.paused !== null));
  byId('held').hidden = page.paused === null;
  if (page.paused !== null) setText(byId('held'), `Stands at ${timeOfDay(page.paused)}`);
  redraw();
});
byId('tables').addEventListener('click', ({ currentTarget }) => {
  page.tables = !page.tables;
  currentTarget.setAttribute('aria-pressed', String(page.tables));
  redraw();
});
addEventListener('resize', drawSoon);
calm.addEventListener('change', redraw);
// A browser that restores a form would show another range than the one that is drawn.
page.range = Number(byId('range').value) * 1000;
void follow();
