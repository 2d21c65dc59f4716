import { drawChart, markTime, swatch, timeAt } from './chart.js';
import { element, setHead, setRows, setText } from './elements.js';
import { curvesOf, limitsOf } from './panels.js';
import { timeOfDay } from './units.js';

/**
 * What all charts show now.
 * @typedef {object} View
 * @property {import('./metrics-text.js').Samples} samples of the last scrape
 * @property {import('./history.js').History} history
 * @property {import('./history.js').Column[]} columns
 * @property {number} from wall-clock time in ms
 * @property {number} to
 * @property {string} range in words
 * @property {number | null} cursor the time that the pointer is at
 * @property {boolean} tables values are shown as tables, too
 * @property {boolean} tells texts for screen readers are due; each second would be too often
 */

const MOST_ROWS = 12;

/** One panel in the document. */
export class ChartView {
  #panel;
  /** Colours of curves without a meaning, by first appearance. */
  #styles = new Map();
  #legend = element('ul', { class: 'legend' });
  #time = element('span', { class: 'unit' });
  #svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  #table = element('table');
  #values = element('div', { class: 'values', tabindex: '0', role: 'region', hidden: '' }, this.#table);
  #axis;
  #span = { from: 0, to: 1 };
  figure;

  /**
   * @param {import('./panels.js').Panel} panel
   * @param {(at: number | null) => void} point called with the time that the pointer is at
   */
  constructor(panel, point) {
    this.#panel = panel;
    this.#axis = panel.logarithmic ? 'logarithmic' : panel.unit.title;
    const title = `${panel.id}-title`;
    this.#table.append(element('caption', { class: 'unseen' }, panel.title));
    this.#values.setAttribute('aria-label', `Values: ${panel.title}`);
    this.#svg.setAttribute('class', 'plot');
    this.#svg.setAttribute('role', 'img');
    this.#svg.addEventListener('pointermove', ({ clientX }) => point(timeAt(this.#svg, clientX, this.#span.from, this.#span.to)));
    this.#svg.addEventListener('pointerleave', () => point(null));
    this.figure = element(
      'figure',
      { id: panel.id, class: 'card', role: 'group', 'aria-labelledby': title },
      element('figcaption', {}, element('h3', { id: title }, panel.title), this.#time),
      this.#legend,
      this.#svg,
      this.#values,
    );
  }

  /** Draws anew; hides the panel if the server does not have its metrics. @param {View} view */
  show(view) {
    const { samples, history, columns, from, to, cursor } = view;
    this.figure.hidden = !this.#panel.needs.some((metric) => samples.has(metric));
    if (this.figure.hidden) return;
    this.#span = { from, to };
    const lines = curvesOf(this.#panel, samples).map(({ label, style, read }) => ({
      label,
      style: style ?? this.#styleOf(label),
      points: columns.map(({ at, breaks, steps }) => ({ at, breaks, value: read(steps, history) })),
    }));
    const limits = limitsOf(this.#panel, samples);
    const restarts = columns.filter(({ steps }) => steps[0].restarted).map(({ at }) => at);
    drawChart(this.#svg, { ...this.#panel, from, to, lines, limits, restarts });
    const pointed = cursor === null ? columns.length - 1 : nearest(columns, cursor);
    if (cursor !== null && pointed >= 0) markTime(this.#svg, columns[pointed].at, from, to);
    setText(this.#time, cursor === null || pointed < 0 ? this.#axis : timeOfDay(columns[pointed].at));
    this.#showLegend(lines, limits, pointed);
    this.#values.hidden = !view.tables;
    if (!view.tells) return;
    this.#svg.setAttribute('aria-label', this.#summary(lines, limits, view.range));
    this.#showTable(lines, columns);
  }

  #styleOf(label) {
    if (!this.#styles.has(label)) this.#styles.set(label, `line-${this.#styles.size % 6}`);
    return this.#styles.get(label);
  }

  /** Entries are made anew only if the curves are others; else only their values change. */
  #showLegend(lines, limits, pointed) {
    const names = [...lines, ...limits].map(({ label, style }) => `${style} ${label}`).join('\n');
    if (this.#legend.dataset.names !== names) {
      this.#legend.dataset.names = names;
      this.#legend.replaceChildren(
        ...lines.map(({ label, style }) => element('li', {}, swatch(style), element('span', {}, label), element('b'))),
        ...limits.map(({ label }) => element('li', {}, swatch('limit'), element('span', {}, label))),
      );
    }
    lines.forEach(({ points }, index) =>
      setText(this.#legend.children[index].lastChild, this.#panel.unit.show(points[pointed]?.value ?? null)),
    );
  }

  #summary(lines, limits, range) {
    const { unit, title } = this.#panel;
    const told = lines.map(({ label, points }) => {
      const known = points.map(({ value }) => value).filter((value) => value !== null);
      if (known.length === 0) return `${label}: no values`;
      const [least, most] = [Math.min(...known), Math.max(...known)].map(unit.show);
      return `${label}: ${unit.show(points.at(-1).value)} now, lowest ${least}, highest ${most}`;
    });
    return `${title}, ${range}. ${[...told, ...limits.map(({ label }) => label)].join('. ')}.`;
  }

  /** The newest values first, at even distances. */
  #showTable(lines, columns) {
    const every = Math.max(1, Math.ceil(columns.length / MOST_ROWS));
    const places = columns.map((_, index) => columns.length - 1 - index).filter((_, index) => index % every === 0);
    setHead(this.#table, ['Time', ...lines.map(({ label }) => label)]);
    setRows(
      this.#table,
      places.map((place) => [timeOfDay(columns[place].at), ...lines.map(({ points }) => this.#panel.unit.show(points[place].value))]),
    );
  }
}

function nearest(columns, time) {
  const after = columns.findIndex(({ at }) => at >= time);
  if (after <= 0) return after === 0 ? 0 : columns.length - 1;
  return columns[after].at - time < time - columns[after - 1].at ? after : after - 1;
}
