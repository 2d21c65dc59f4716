import { median, percentile, ratio, spread } from './statistics.ts';

export interface Sample {
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly probesMs: readonly number[];
}

export interface Start {
  readonly readyMs: number;
  readonly idlePssBytes: number;
  readonly loadedPssBytes: number;
}

export type Figure = Exclude<keyof Sample, 'probesMs'>;

/** Everything that was measured, by model, subject and connections. */
export class Results {
  readonly #samples = new Map<string, Sample[]>();
  readonly #starts = new Map<string, Start[]>();
  /** Start to end of `node -e 0`. */
  readonly bareNodeMs: number[] = [];
  /** What could not be measured, and why. */
  readonly failures = new Map<string, string>();

  add(row: string, subject: string, connections: number, sample: Sample): void {
    append(this.#samples, `${row} ${subject} ${connections}`, sample);
  }

  addStart(row: string, subject: string, start: Start): void {
    append(this.#starts, `${row} ${subject}`, start);
  }

  samples(row: string, subject: string, connections: number): readonly Sample[] {
    return this.#samples.get(`${row} ${subject} ${connections}`) ?? [];
  }

  /** The median over the rounds. */
  figure(row: string, subject: string, connections: number, figure: Figure): number | undefined {
    return median(this.samples(row, subject, connections).map((sample) => sample[figure]));
  }

  start(row: string, subject: string, figure: keyof Start): number | undefined {
    return median((this.#starts.get(`${row} ${subject}`) ?? []).map((start) => start[figure]));
  }

  spread(row: string, subject: string, connections: number): number | undefined {
    return spread(this.samples(row, subject, connections).map(({ requestsPerSecond }) => requestsPerSecond));
  }

  /** Over all rounds together: a round has too few probes for a percentile of its own. */
  probeP99Ms(row: string, subject: string, connections: number): number | undefined {
    return percentile(
      this.samples(row, subject, connections).flatMap(({ probesMs }) => probesMs),
      0.99,
    );
  }

  /** Of the medians of two subjects under the same load. */
  ratio(row: string, [subject, base]: readonly [string, string], connections: number, figure: Figure): number | undefined {
    return ratio(this.figure(row, subject, connections, figure), this.figure(row, base, connections, figure));
  }
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key) ?? [];
  list.push(item);
  lists.set(key, list);
}
