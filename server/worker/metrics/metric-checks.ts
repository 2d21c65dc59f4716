import type { MetricLabels } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import type { MetricDefinition, MetricKind } from '../../ipc/metric-series.ts';

/** Prefixes of the server's own metrics, future ones included. */
const OWN = /^(?:scoring|inference|worker|model|server|session|telemetry|mdc|gpu|log|process|nodejs)_/;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Labels with a meaning of their own: buckets, and the worker of a gauge. */
const TAKEN = ['le', 'quantile', 'worker'];

/** @throws ServerError init_failed that names the mistake in the definition */
export function checkDefinition({ kind, name, help, labels, buckets }: MetricDefinition): void {
  const refuse = (why: string): never => {
    throw new ServerError('init_failed', `metrics.${kind}(${JSON.stringify(name)}): ${why}`);
  };
  if (typeof name !== 'string' || !NAME.test(name))
    refuse('expected a name of letters, digits, _ and :, which does not begin with a digit');
  const own = OWN.exec(name);
  if (own !== null) refuse(`names that begin with ${own[0]} are the server's own: choose another`);
  if (typeof help !== 'string' || help === '') refuse('expected a line of help as the second argument');
  if (!Array.isArray(labels)) refuse(`labels of type ${typeof labels}: expected an array of names`);
  for (const label of labels) {
    if (typeof label !== 'string' || !LABEL.test(label)) refuse(`label ${JSON.stringify(label)}: expected letters, digits and _`);
    if (TAKEN.includes(label)) refuse(`label ${label} has a meaning of its own: choose another`);
  }
  if (new Set(labels).size < labels.length) refuse(`labels ${labels.join(', ')}: expected each once`);
  if (buckets === undefined) return;
  if (!Array.isArray(buckets)) refuse(`buckets of type ${typeof buckets}: expected an array of numbers`);
  const ascending = buckets.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > (buckets[at - 1] ?? Infinity)));
  if (buckets.length === 0 || !ascending) refuse(`buckets ${buckets.join(', ')}: expected finite numbers, ascending`);
}

/** @throws ServerError init_failed when a name is defined in two ways */
export function checkSame(before: MetricDefinition, now: MetricDefinition): void {
  const text = ({ kind, help, labels, buckets }: MetricDefinition): string =>
    `${kind} with labels [${labels.join(', ')}]${buckets === undefined ? '' : `, buckets [${buckets.join(', ')}]`} and help ${JSON.stringify(help)}`;
  if (text(before) === text(now)) return;
  throw new ServerError(
    'init_failed',
    `metrics.${now.kind}(${JSON.stringify(now.name)}): there is one already, a ${text(before)}; got a ${text(now)}`,
  );
}

/**
 * @throws ServerError init_failed when a name is also that of a series of a histogram (`x` and
 * `x_count`)
 */
export function checkSeries({ kind, name }: MetricDefinition, kindOf: (name: string) => MetricKind | undefined): void {
  const suffixes = ['_bucket', '_sum', '_count'];
  const of = suffixes.find((suffix) => name.endsWith(suffix) && kindOf(name.slice(0, -suffix.length)) === 'histogram');
  const clash = of === undefined ? (kind === 'histogram' ? suffixes.map((suffix) => name + suffix).find(kindOf) : undefined) : name;
  if (clash !== undefined)
    throw new ServerError(
      'init_failed',
      `metrics.${kind}(${JSON.stringify(name)}): ${clash} would be a series of a histogram and a metric of its own`,
    );
}

/** @throws TypeError when the labels are not those of the metric */
export function labelValues({ name, labels }: MetricDefinition, given: MetricLabels = {}): readonly string[] {
  const names = Object.keys(given);
  if (names.length !== labels.length || labels.some((label) => !Object.hasOwn(given, label)))
    throw new TypeError(`metric ${name}: expected the labels [${labels.join(', ')}], got [${names.join(', ')}]`);
  return labels.map((label) => String(given[label]));
}

/** @throws RangeError for NaN and the infinities */
export function onlyFinite({ name }: MetricDefinition, value: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RangeError(`metric ${name}: expected a finite number, got ${String(value)}`);
  return value;
}
