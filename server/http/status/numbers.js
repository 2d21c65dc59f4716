import { byId, element, setRows, setText } from './elements.js';
import { highestOf, increaseOf, rateOf, ratioOf } from './history.js';
import { sumOf, valuesOf } from './metrics-text.js';
import { isFault } from './panels.js';
import { lossRows, modelRows, replacements, workerRows } from './tables.js';
import { span, UNITS, whole } from './units.js';

/**
 * What the page knows now.
 * @typedef {object} Now
 * @property {import('./metrics-text.js').Samples} samples of the last scrape
 * @property {import('./history.js').History} history
 * @property {boolean} gone the server does not answer
 * @property {number} skew how far the server's clock is ahead, in ms
 * @property {number} range of time that the charts show, in ms
 * @property {string} rangeName the same in words
 */

/** The time over which "now" is measured, because one second of a small load says little. */
const NOW_MS = 10_000;

/** Shows the numbers and tables of now. @param {Now} now */
export function showNumbers(now) {
  const steps = now.history.since(Date.now() - now.range);
  showFacts(now, steps);
  showTiles(now, steps);
  showWorkers(now);
  showRows('models', modelRows(now.samples));
  showRows('losses', lossRows(now.samples, steps));
  setText(byId('lost-recently'), `Last ${now.rangeName}`);
  showLastDelivery(now);
}

function showFacts({ samples, gone, skew }, steps) {
  const started = sumOf(samples, 'process_start_time_seconds');
  const models = [...new Set(modelRows(samples).map(([name]) => name))];
  const [version] = valuesOf(samples, 'server_info', 'version');
  const providers = valuesOf(samples, 'inference_provider_info', 'used');
  showList('facts', [
    ['Version', version],
    [models.length > 1 ? 'Models' : 'Model', models.join(', ')],
    ['Provider', providers.join(', ')],
    ['Up', started === null || gone ? '' : since(started, skew)],
    ['Errors', gone ? '' : UNITS.share.show(errorShare(steps))],
  ]);
}

function errorShare(steps) {
  return ratioOf(steps, ['scoring_requests_total', isFault], ['scoring_requests_total']);
}

/** The numbers of now. They are unknown while the server is gone. */
function showTiles({ samples, history, gone, rangeName }, steps) {
  const recent = gone ? [] : history.since(Date.now() - NOW_MS);
  const last = recent.slice(-1);
  const lastly = `last ${NOW_MS / 1000} s`;
  const [p99 = null] = history.quantiles(recent, 'scoring_request_duration_seconds', [0.99]);
  const of = (metric) => {
    const limit = sumOf(samples, metric);
    return limit === null ? 'now' : `of ${whole(limit)}`;
  };
  const answers = increaseOf(steps, 'scoring_requests_total');
  showList('tiles', [
    ['Requests', UNITS.rate.show(rateOf(recent, 'scoring_requests_total')), lastly],
    ['Latency, p99', UNITS.seconds.show(p99), lastly],
    ['Errors (5xx, 429)', UNITS.share.show(errorShare(steps)), `of ${whole(answers?.total ?? null)}, last ${rangeName}`],
    ['Waiting', whole(highestOf(last, 'scoring_requests_queued')), of('scoring_queue_limit')],
    ['At workers', whole(highestOf(last, 'scoring_requests_in_flight')), of('scoring_concurrency_limit')],
    ['Workers that serve', whole(highestOf(last, 'scoring_workers')), 'now'],
  ]);
}

/** Names and values as a list, without those that are empty. Elements stay, and texts change. */
function showList(id, entries) {
  const list = byId(id);
  const shown = entries.filter(([, value]) => value !== undefined && value !== '');
  while (list.children.length > shown.length) list.lastElementChild.remove();
  while (list.children.length < shown.length) list.append(element('div', {}, element('dt'), element('dd')));
  shown.forEach(([name, value, note], index) => {
    const entry = list.children[index];
    setText(entry.children[0], name);
    setText(entry.children[1], value);
    if (note === undefined) return;
    if (entry.children.length < 3) entry.append(element('dd', { class: 'note' }));
    setText(entry.children[2], note);
  });
}

function showWorkers({ samples, history, gone }) {
  const rows = workerRows(samples, history, Date.now());
  byId('workers').querySelector('table').hidden = rows.length === 0;
  setRows(byId('workers').querySelector('table'), rows);
  const taken = sumOf(samples, 'worker_memory_limit_ratio');
  const memory = taken === null ? '' : ` Memory: ${UNITS.share.show(taken)} of the limit.`;
  setText(byId('replacements'), `${gone ? 'As of the last answer. ' : ''}${replacements(samples)}${memory}`);
}

function showRows(id, rows) {
  byId(id).hidden = rows.length === 0;
  setRows(byId(id).querySelector('table'), rows);
}

function showLastDelivery({ samples, skew }) {
  const at = sumOf(samples, 'mdc_last_success_timestamp_seconds');
  byId('last-delivery').hidden = at === null;
  if (at === null) return;
  setText(byId('last-delivery'), at === 0 ? 'Nothing was delivered to the sink yet.' : `Last delivery to the sink ${since(at, skew)} ago.`);
}

/** Time since a time of the server in seconds, in words. */
function since(seconds, skew) {
  return span(Math.max(0, (Date.now() + skew) / 1000 - seconds));
}
