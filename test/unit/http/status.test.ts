import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

type Samples = Map<string, { key: string; labels: Record<string, string>; value: number }[]>;
type Keep = (labels: Record<string, string>) => boolean;
interface Step {
  readonly at: number;
  readonly seconds: number | null;
  readonly breaks: boolean;
  readonly restarted: boolean;
}
interface History {
  readonly steps: Step[];
  readonly alternates: boolean;
  add(samples: Samples, at: number, clock: number): void;
  miss(at: number): void;
  since(from: number): Step[];
  columns(from: number, to: number): { readonly breaks: boolean; readonly steps: Step[] }[];
  quantiles(steps: Step[], metric: string, shares: number[]): (number | null)[];
}

/** The page's scripts are plain JavaScript for a browser, so they have no types. */
const script = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../../server/http/status/${name}.js`, import.meta.url).href)) as T;
const { parseMetrics, sumOf } = await script<{
  parseMetrics: (text: string) => Samples;
  sumOf: (samples: Samples, metric: string, keep?: Keep) => number | null;
}>('metrics-text');
const { History, rateOf, ratioOf } = await script<{
  History: new () => History;
  rateOf: (steps: Step[], metric: string, keep?: Keep) => number | null;
  ratioOf: (steps: Step[], of: [string, Keep?], by: [string, Keep?]) => number | null;
}>('history');
const { linearTicks, logarithmicTicks, timeTicks, span, UNITS } = await script<{
  linearTicks: (most: number, base?: number) => number[];
  logarithmicTicks: (least: number, most: number) => number[];
  timeTicks: (from: number, to: number, most: number) => { readonly at: number; readonly label: string }[];
  span: (seconds: number) => string;
  UNITS: Record<string, { show: (value: number | null) => string }>;
}>('units');

/** A history of scrapes that are a second apart; each is the lines of a page. */
function historyOf(...scrapes: (string[] | 'missed')[]): History {
  const history = new History();
  scrapes.forEach((lines, index) => {
    const at = 1_000_000 + index * 1000;
    if (lines === 'missed') history.miss(at);
    else history.add(parseMetrics(lines.join('\n')), at, at);
  });
  return history;
}

const scored = (value: number, start = 1): string[] => [
  `process_start_time_seconds ${start}`,
  `scoring_requests_total{code="200"} ${value}`,
];
const rates = ({ steps }: History): (number | null)[] => steps.map((step) => rateOf([step], 'scoring_requests_total'));

describe('the text of /metrics', () => {
  it('is read with quotes, braces, commas and line ends in labels', () => {
    const samples = parseMetrics('# HELP a b\na{x="q\\"}, y=\\"1\\\\",z="l\\nm"} 2 1700000000\nb 1e3\nc NaN\nd{le="+Inf"} +Inf\nno number');
    assert.deepEqual(samples.get('a')?.[0]?.labels, { x: 'q"}, y="1\\', z: 'l\nm' });
    assert.deepEqual([sumOf(samples, 'a'), sumOf(samples, 'b'), sumOf(samples, 'd')], [2, 1000, Infinity]);
    assert.deepEqual([sumOf(samples, 'c'), sumOf(samples, 'no')], [null, null]);
  });

  it('is read in linear time, also where a label never ends', () => {
    const begun = performance.now();
    parseMetrics(`a{x="${'\\"'.repeat(50_000)}\n${'b{'.repeat(50_000)}\n${`c{x="`.repeat(50_000)}`);
    assert.ok(performance.now() - begun < 2000);
  });
});

describe('a rate', () => {
  it('is the growth a second, and counts a series that is new from 0', () => {
    assert.deepEqual(rates(historyOf(scored(5), scored(8), [...scored(8), 'scoring_requests_total{code="500"} 4'])), [null, 3, 4]);
  });

  it('is not known when another process answers, whether its counters are lower or higher', () => {
    const history = historyOf(scored(500), scored(510), scored(20, 2), scored(25, 2), scored(9000, 3), scored(9001, 3));
    assert.deepEqual(rates(history), [null, 10, null, 5, null, 1]);
    assert.deepEqual(history.steps.filter(({ restarted }) => restarted).length, 2);
    assert.equal(history.alternates, false);
  });

  it('is not known for a series that began anew, and for no other', () => {
    const cpu = (worker: number, value: number): string => `worker_cpu_seconds_total{worker="${worker}"} ${value}`;
    const history = historyOf([cpu(0, 5), cpu(1, 7)], [cpu(0, 5.5), cpu(1, 0.2)], [cpu(0, 6), cpu(1, 0.4)]);
    const of = (worker: string): (number | null)[] =>
      history.steps.map((step) => rateOf([step], 'worker_cpu_seconds_total', (labels) => labels['worker'] === worker));
    assert.deepEqual(of('0'), [null, 0.5, 0.5]);
    assert.deepEqual(of('1'), [null, null, 0.2]);
  });

  it('is not known after a scrape that failed, or a long absence', () => {
    assert.deepEqual(rates(historyOf(scored(1), scored(2), 'missed', 'missed', scored(900), scored(901))), [null, 1, null, null, 1]);
    const history = historyOf(scored(1), scored(2));
    history.add(parseMetrics(scored(900).join('\n')), 1_100_000, 1_100_000);
    history.add(parseMetrics(scored(902).join('\n')), 1_101_000, 1_101_000);
    assert.deepEqual(rates(history), [null, 1, null, 2]);
  });

  it('over a restart is that of the known seconds', () => {
    const { steps } = historyOf(scored(0), scored(10), scored(3, 2), scored(23, 2));
    assert.equal(rateOf(steps, 'scoring_requests_total'), 15);
  });

  it('as a share of another is not known where that did not grow', () => {
    const lines = (of: number, by: number): string[] => [`a_total{x="1"} ${of}`, `a_total{x="2"} ${by}`].map((line) => `scoring_${line}`);
    const share = (history: History): number | null =>
      ratioOf(history.steps, ['scoring_a_total', ({ x }) => x === '1'], ['scoring_a_total']);
    assert.equal(share(historyOf(lines(0, 0), lines(1, 3))), 0.25);
    assert.equal(share(historyOf(lines(1, 3), lines(1, 3))), null);
  });
});

describe('a history', () => {
  it('says so when servers answer in turn, until one of them answers alone for a minute', () => {
    const turns = [scored(1, 1), scored(9, 2), scored(2, 1), scored(10, 2)];
    assert.equal(historyOf(...turns).alternates, true);
    const alone = Array.from({ length: 61 }, (_, index) => scored(11 + index, 2));
    assert.equal(historyOf(...turns, ...alone).alternates, false);
  });

  it('of a long range keeps breaks apart, and makes no gaps of slots without a scrape', () => {
    const many = Array.from({ length: 300 }, (_, index) => scored(index));
    const history = historyOf(...many, scored(1, 2), scored(2, 2));
    const columns = history.columns(1_000_000, 1_000_000 + 900_000);
    assert.ok(columns.length < 60, `${columns.length}`);
    assert.deepEqual(columns.map(({ breaks }) => breaks).filter(Boolean).length, 2);
    assert.deepEqual(
      columns.flatMap(({ steps }) => steps),
      history.steps,
    );
  });

  it('ends after an hour', () => {
    const history = new History();
    for (let second = 0; second < 5000; second++) history.add(parseMetrics(''), second * 1000, second * 1000);
    assert.equal(history.steps.length, 3601);
  });

  it('gives quantiles of the observations of its steps, as Prometheus does', () => {
    const buckets = (...counts: number[]): string[] =>
      counts.map((count, index) => `scoring_x_bucket{le="${['1', '2', '4', '+Inf'][index]}"} ${count}`);
    const history = historyOf(buckets(100, 100, 100, 100), buckets(100, 110, 120, 120), buckets(100, 110, 120, 130));
    const [, second, third] = history.steps;
    assert.deepEqual(history.quantiles([second!], 'scoring_x', [0.25, 0.5, 0.75, 1]), [1.5, 2, 3, 4]);
    assert.deepEqual(history.quantiles([third!], 'scoring_x', [0.5]), [4], 'above the last bound is at least the last bound');
    assert.deepEqual(history.quantiles([history.steps[0]!], 'scoring_x', [0.5]), [null]);
  });
});

describe('an axis', () => {
  it('has ticks in steps of 1, 2 or 5, to the highest value', () => {
    assert.deepEqual(linearTicks(1), [0, 0.5, 1]);
    assert.deepEqual(linearTicks(1918), [0, 500, 1000, 1500, 2000]);
    assert.deepEqual(linearTicks(3 * 2 ** 30, 2 ** 30), [0, 2 ** 30, 2 * 2 ** 30, 3 * 2 ** 30]);
    for (let most = 0.001; most < 1e12; most *= 1.7) {
      const ticks = linearTicks(most);
      assert.ok(ticks.at(-1)! >= most * 0.999 && ticks.length >= 3 && ticks.length <= 6, `${most}: ${ticks.join(' ')}`);
    }
  });

  it('of durations has powers of ten, and never less than a decade', () => {
    assert.deepEqual(
      logarithmicTicks(0.0012, 3).map((tick) => Number(tick.toPrecision(3))),
      [0.001, 0.01, 0.1, 1, 10],
    );
    for (let least = 1e-6; least < 100; least *= 1.9)
      for (const factor of [1, 1.5, 9, 40, 1e4]) {
        const ticks = logarithmicTicks(least, least * factor);
        assert.ok(ticks[0]! <= least * 1.001 && ticks.at(-1)! >= least * factor * 0.998, `${least} ${factor}: ${ticks.join(' ')}`);
        assert.ok(ticks.length >= 3 && ticks.length <= 8 && ticks.at(-1)! / ticks[0]! > 9.9, `${least} ${factor}: ${ticks.join(' ')}`);
      }
  });

  it('of time has whole times of day', () => {
    const labels = (minutes: number, most: number): string[] => {
      const from = new Date(2026, 0, 1, 10, 0, 13).getTime();
      return timeTicks(from, from + minutes * 60_000, most).map(({ label }) => label);
    };
    assert.deepEqual(labels(2, 4), ['10:00:30', '10:01:00', '10:01:30', '10:02:00']);
    assert.deepEqual(labels(2, 3), ['10:01', '10:02']);
    assert.deepEqual(labels(60, 5), ['10:15', '10:30', '10:45', '11:00']);
  });

  it('writes values with three digits and a unit', () => {
    const { seconds, bytes, rate, share } = UNITS;
    assert.deepEqual([0, 0.000043, 0.00919, 1.5, 60].map(seconds!.show), ['0 s', '43 µs', '9.19 ms', '1.5 s', '60 s']);
    assert.deepEqual([0, 2048, 159 * 2 ** 20].map(bytes!.show), ['0 B', '2 KiB', '159 MiB']);
    assert.deepEqual([rate!.show(1918.4), share!.show(0.0148), rate!.show(null)], ['1,918/s', '1.48 %', '–']);
    assert.deepEqual([0, 59, 3600, 93_784].map(span), ['0 s', '59 s', '1 h 0 min', '1 d 2 h']);
  });
});
