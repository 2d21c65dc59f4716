import { linearTicks, logarithmicTicks, timeTicks } from './units.js';

/**
 * A curve.
 * @typedef {object} Line
 * @property {string} label
 * @property {string} style class of its colour and dashes: `line-0` to `line-5`, or a meaning
 * @property {{ at: number, breaks: boolean, value: number | null }[]} points
 */

/**
 * What a chart shows.
 * @typedef {object} Drawing
 * @property {number} from wall-clock time in ms
 * @property {number} to
 * @property {import('./units.js').Unit} unit
 * @property {boolean} logarithmic
 * @property {Line[]} lines
 * @property {number} least the lowest top of the axis
 * @property {{ label: string, value: number }[]} limits drawn where curves come near
 * @property {number[]} restarts times at which the server was another process
 * @property {boolean} bands fills between neighbouring lines
 */

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 168;
const MARGIN = { top: 10, right: 12, bottom: 24, left: 58 };
/** Room of a time's label, and of its half. */
const LABEL = 64;
const HALF_LABEL = 28;
/** Share of a limit from which a curve shows the limit. Below it, the curve would look flat. */
const NEAR = 0.3;

/**
 * Draws anew.
 * @param {SVGSVGElement} svg
 * @param {Drawing} drawing
 */
export function drawChart(svg, drawing) {
  const width = Math.max(svg.clientWidth, 200);
  svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
  const limits = nearLimits(drawing);
  const ticks = valueTicks(drawing, limits);
  const x = scale([drawing.from, drawing.to], [MARGIN.left, width - MARGIN.right]);
  const y = scale([ticks[0], ticks.at(-1)], [HEIGHT - MARGIN.bottom, MARGIN.top], drawing.logarithmic);
  svg.replaceChildren(
    ...ticks.flatMap((tick) => valueTick(drawing.unit, tick, y(tick), width)),
    ...timeTicks(drawing.from, drawing.to, (width - MARGIN.left) / LABEL).flatMap(({ at, label }) => timeTick(label, x(at), width)),
    ...drawing.restarts.map((at) => upright(x(at), 'restart')),
    ...(drawing.bands ? drawing.lines.slice(1).map((line, index) => band(drawing.lines[index], line, x, y, index)) : []),
    ...limits.flatMap(({ value, label }) => limitLine(label, y(value), width)),
    ...drawing.lines.map((line) => shape('path', { class: `line ${line.style}`, d: pathOf(line.points, x, y) })),
  );
}

/** Where the pointer is, as a time. */
export function timeAt(svg, clientX, from, to) {
  const { left, width } = svg.getBoundingClientRect();
  const share = (clientX - left - MARGIN.left) / (width - MARGIN.left - MARGIN.right);
  return share < 0 || share > 1 ? null : from + share * (to - from);
}

/** Marks a time in a drawn chart. */
export function markTime(svg, at, from, to) {
  const width = Math.max(svg.clientWidth, 200);
  const x = scale([from, to], [MARGIN.left, width - MARGIN.right]);
  svg.append(upright(x(at), 'cursor'));
}

/** The swatch of a legend: a piece of the line. */
export function swatch(style) {
  const svg = shape('svg', { class: 'swatch', viewBox: '0 0 24 10', 'aria-hidden': 'true' });
  svg.append(shape('path', { class: `line ${style}`, d: 'M1 5H23' }));
  return svg;
}

function nearLimits({ limits, lines }) {
  const highest = Math.max(0, ...knownValues(lines));
  return limits.filter(({ value }) => highest >= value * NEAR);
}

function valueTicks({ lines, unit, logarithmic, least }, limits) {
  const values = [...knownValues(lines), ...limits.map(({ value }) => value)];
  if (!logarithmic) {
    const most = Math.max(least, ...values);
    return linearTicks(most, unit.step(most));
  }
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return logarithmicTicks(0.001, 1);
  return logarithmicTicks(Math.min(...positive), Math.max(...positive));
}

function knownValues(lines) {
  return lines.flatMap(({ points }) => points.map(({ value }) => value).filter((value) => value !== null));
}

function scale([from, to], [start, end], logarithmic = false) {
  const measure = logarithmic ? (value) => Math.log10(Math.max(value, from)) : (value) => value;
  const [low, high] = [measure(from), measure(to)];
  return (value) => start + ((measure(value) - low) / (high - low)) * (end - start);
}

/** A curve. It has a gap at each unknown value and after each break; a lone point is a dot. */
function pathOf(points, x, y) {
  let joined = false;
  let path = '';
  for (const { at, breaks, value } of points) {
    const joins = joined && !breaks;
    if (value !== null) path += `${joins ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}${joins ? '' : 'h0'}`;
    joined = value !== null;
  }
  return path;
}

/** The area between two curves, in one piece for each run of times that both know. */
function band(below, above, x, y, index) {
  const runs = [];
  above.points.forEach(({ at, breaks, value }, place) => {
    const low = below.points[place].value;
    if (breaks || runs.length === 0) runs.push([]);
    if (value === null || low === null) runs.push([]);
    else runs.at(-1).push([x(at), y(value), y(low)]);
  });
  const outline = (run) =>
    `M${run.map(([left, top]) => `${left.toFixed(1)} ${top.toFixed(1)}`).join('L')}` +
    `L${run
      .toReversed()
      .map(([left, , bottom]) => `${left.toFixed(1)} ${bottom.toFixed(1)}`)
      .join('L')}Z`;
  const d = runs
    .filter((run) => run.length > 1)
    .map(outline)
    .join('');
  return shape('path', { class: `band band-${index}`, d });
}

function valueTick(unit, value, y, width) {
  const line = shape('path', { class: value === 0 ? 'axis' : 'grid', d: `M${MARGIN.left} ${y}H${width - MARGIN.right}` });
  return [line, text(unit.show(value), { class: 'tick', x: MARGIN.left - 8, y: y + 4, 'text-anchor': 'end' })];
}

function timeTick(label, x, width) {
  const mark = shape('path', { class: 'grid', d: `M${x} ${HEIGHT - MARGIN.bottom}v4` });
  // A label at the edge would be cut, or touch its neighbour if it were moved.
  if (x < HALF_LABEL || x > width - HALF_LABEL) return [mark];
  return [mark, text(label, { class: 'tick', x, y: HEIGHT - 6, 'text-anchor': 'middle' })];
}

function limitLine(label, y, width) {
  const line = shape('path', { class: 'limit', d: `M${MARGIN.left} ${y}H${width - MARGIN.right}` });
  return [line, text(label, { class: 'limit-label', x: width - MARGIN.right - 4, y: y + 14, 'text-anchor': 'end' })];
}

function upright(x, name) {
  return shape('path', { class: name, d: `M${x} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}` });
}

function text(content, attributes) {
  const element = shape('text', attributes);
  element.textContent = content;
  return element;
}

function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}
