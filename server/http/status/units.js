/**
 * How the values of an axis are written.
 * @typedef {object} Unit
 * @property {string} title of the axis, after the title of its chart
 * @property {(value: number | null) => string} show a value with its unit
 * @property {(most: number) => number} step the size that ticks are whole multiples of
 */

const NONE = '–';

/** Three digits say enough: 12.3K · 1,234 · 12.3 · 0.12. */
function digits(value) {
  const size = Math.abs(value);
  if (size >= 10_000) return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 });
  const fraction = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: fraction });
}

/** A value in the largest unit that it reaches. */
function inLargest(units, value) {
  const [size, name] = units.find(([least]) => Math.abs(value) >= least) ?? units.at(-1);
  return `${digits(value / size)} ${name}`;
}

const TIMES = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
];
const SIZES = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'B'],
];

const unit = (title, show, step = () => 1) => ({ title, step, show: (value) => (value === null ? NONE : show(value)) });

/** @type {Record<string, Unit>} */
export const UNITS = {
  count: unit('', digits),
  rate: unit('per second', (value) => `${digits(value)}/s`),
  rows: unit('rows', digits),
  cores: unit('CPU cores', digits),
  share: unit('percent', (value) => `${digits(value * 100)} %`),
  // Axes of durations that reach minutes are still read in seconds.
  seconds: unit('', (value) => (value === 0 ? '0 s' : inLargest(TIMES, value))),
  bytes: unit(
    '',
    (value) => inLargest(SIZES, value),
    (most) => SIZES.find(([size]) => most >= size)?.[0] ?? 1,
  ),
};

/** A whole number, for totals. */
export function whole(value) {
  return value === null ? NONE : value.toLocaleString('en', { maximumFractionDigits: 0 });
}

/** A time span in its two largest units: 3 d 4 h, 12 min 5 s. */
export function span(seconds) {
  const parts = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', Math.floor(seconds) % 60],
  ];
  const first = parts.findIndex(([, value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(([name, value]) => `${value} ${name}`)
    .join(' ');
}

/** The reader's time of day. */
export function timeOfDay(ms) {
  return new Date(ms).toLocaleTimeString('en-GB');
}

/**
 * Ticks of a linear axis from 0, in steps of 1, 2 or 5.
 * @returns {number[]} the last one is at least `most`
 */
export function linearTicks(most, base = 1, wanted = 4) {
  const rough = most / base / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power * base;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** Ticks of a logarithmic axis: powers of ten, and 2 and 5 between them where there are few. */
export function logarithmicTicks(least, most) {
  // An axis of less than a decade would make a mountain of noise.
  const from = Math.min(least, most / 10);
  const [first, last] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(most))];
  const factors = last - first > 2 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = first; power <= last; power++) for (const factor of factors) ticks.push(factor * 10 ** power);
  // Rounding must not add a tick at either end.
  const low = ticks.findLastIndex((tick) => tick <= from * 1.001);
  const high = ticks.findIndex((tick) => tick >= most * 0.999);
  return ticks.slice(low, high + 1);
}

const TIME_STEPS_S = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800];

/**
 * Whole times of day between two times in ms, in the reader's time zone. Labels have seconds only
 * where those differ.
 */
export function timeTicks(from, to, most) {
  const wanted = (to - from) / 1000 / most;
  const step = (TIME_STEPS_S.find((size) => size >= wanted) ?? TIME_STEPS_S.at(-1)) * 1000;
  const zone = new Date(to).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - zone) / step) * step + zone;
  const length = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length }, (_, index) => {
    const at = first + index * step;
    return { at, label: step % 60_000 === 0 ? timeOfDay(at).slice(0, 5) : timeOfDay(at) };
  });
}
