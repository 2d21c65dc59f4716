import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type TestContext } from 'node:test';
import {
  CollectionCounts,
  DROP_REASONS,
  MOST_COUNTED,
  OMIT_REASONS,
  OTHER,
  RESULTS,
  type RecordResult,
} from '../../../server/collection/counts.ts';
import { SinkError, type Batch, type Sink } from '../../../server/collection/deliver/sink.ts';
import { REDACTION_FAILURES } from '../../../server/ipc/redaction.ts';
import { TestWriter } from '../../collection/start-writer.ts';
import { folder } from './blocks.ts';

const COLLECTIONS = ['model_inputs', 'model_outputs', 'request'];
/** A row of so many characters makes a batch leave at once. */
const FULL = 'x'.repeat(1024 * 1024);

/** A sink that takes, fails, refuses, or takes a part, as the test says. It knows what it has. */
class Moody implements Sink {
  readonly name = 'moody';
  readonly appends = false;
  readonly largestInline = Infinity;
  readonly taken = new Map<string, number>();
  mood: 'takes' | 'fails' | 'refuses' | 'takes one' = 'takes';
  reference = (): undefined => undefined;
  close = (): Promise<void> => Promise.resolve();

  write({ blocks }: Batch): Promise<void> {
    const error = new SinkError('moody', 'not now');
    if (this.mood === 'fails') return Promise.reject(error);
    if (this.mood === 'refuses')
      return Promise.reject(new SinkError('422', 'not this', { retriable: false, rejected: blocks.splice(0, 1) }));
    for (const { collection } of this.mood === 'takes' ? blocks.splice(0) : blocks.splice(0, 1))
      this.taken.set(collection, (this.taken.get(collection) ?? 0) + 1);
    return blocks.length === 0 ? Promise.resolve() : Promise.reject(error);
  }
}

/** Numbers from 0 to 1 that are the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** As if the process of these folders were gone. */
function abandon(root: string): void {
  for (const name of readdirSync(root)) {
    if (name === 'dead-letters') continue;
    const path = join(root, name, 'owner.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"started":"[^"]*"/, '"started":"before"'));
  }
}

/** Servers that follow each other, with one folder on disk and one sink. */
class Servers {
  readonly sink = new Moody();
  readonly root: string;
  readonly limits = { bytes: 40e6, deadLetterBytes: 10e6 };
  readonly offered = new Map<string, number>();
  /** Results of the servers before. */
  readonly #before = new Map<string, number>();
  #writer: TestWriter;

  constructor(t: TestContext) {
    this.root = folder(t);
    this.#writer = this.#start();
    t.after(() => this.#writer.close(0));
  }

  collect(collection: string, count: number): void {
    this.offered.set(collection, (this.offered.get(collection) ?? 0) + count);
    this.#writer.collect(0, count, collection, FULL);
  }

  /** Lets the writer go on for some turns, without its waits. */
  async goOn(): Promise<void> {
    for (let n = 0; n < 20; n++) {
      this.#writer.retry.hurry();
      await turn();
    }
  }

  /** The thread is lost with what it has in memory. Another one follows. */
  async lose(): Promise<void> {
    const { counts } = this.#writer;
    const { bytes } = this.limits;
    const { mood } = this.sink;
    // It delivers nothing, and writes nothing.
    this.limits.bytes = 0;
    this.sink.mood = 'fails';
    await this.#writer.lose();
    Object.assign(this.limits, { bytes });
    this.sink.mood = mood;
    abandon(this.root);
    this.#writer = this.#start(counts);
  }

  async restart(damage: boolean): Promise<void> {
    await this.#writer.close(50);
    this.check();
    const waited = this.#writer.counts.spoolRecords;
    for (const [collection, row] of this.#writer.counts.results) for (const result of RESULTS) this.#add(collection, result, row[result]);
    abandon(this.root);
    const damaged = damage && this.#damage() ? 1 : 0;
    this.#writer = this.#start();
    assert.equal(this.#writer.counts.totals().adopted, waited + damaged, 'what was left is accounted from the start');
  }

  async end(): Promise<void> {
    this.limits.bytes = 40e6;
    this.sink.mood = 'takes';
    this.#writer.retry.hurry();
    await this.#writer.close();
    this.check();
    const { counts } = this.#writer;
    assert.deepEqual([counts.records, counts.bytes, counts.spoolRecords], [0, 0, 0]);
  }

  /** The account closes, for each collection. */
  check(): void {
    const { counts, spool } = this.#writer;
    const onDisk = spool?.records ?? new Map<string, number>();
    let waiting = 0;
    for (const [collection, row] of counts.results) {
      const disk = onDisk.get(collection) ?? 0;
      const memory = row.queued + row.replayed - row.sent - row.spilled - row.dropped;
      assert.ok(memory >= 0 && RESULTS.every((result) => row[result] >= 0), `${collection}: ${JSON.stringify(row)}`);
      assert.equal(row.adopted + row.spilled - row.replayed, disk, `${collection}: on disk`);
      assert.equal(row.queued + row.adopted, row.sent + row.dropped + memory + disk, collection);
      assert.equal(this.#total(collection, 'queued'), this.offered.get(collection) ?? 0, `${collection}: queued`);
      assert.equal(this.#total(collection, 'sent'), this.sink.taken.get(collection) ?? 0, `${collection}: sent`);
      waiting += memory;
    }
    assert.equal(counts.records, waiting, 'the gauge of memory');
    assert.equal(
      counts.spoolRecords,
      [...onDisk.values()].reduce((sum, each) => sum + each, 0),
      'the gauge of the disk',
    );
    assert.equal(
      counts.totals().dropped,
      [...counts.dropped.values()].reduce((sum, each) => sum + each, 0),
      'each drop has a reason',
    );
    // A chunk from disk is in memory, too, while it is delivered.
    if (counts.records + counts.spoolRecords === 0) assert.equal(counts.handedBytes, 0);
    assert.ok(counts.handedBytes >= counts.records * FULL.length, 'memory is counted as long as it is used');
  }

  /** A line that was cut. */
  #damage(): boolean {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' });
    const segment = names.find((name) => name.endsWith('.jsonl') && !name.startsWith('dead-letters'));
    if (segment !== undefined) appendFileSync(join(this.root, segment), '{"specversion":"1.0","id":"to\n');
    return segment !== undefined;
  }

  #start(counts?: CollectionCounts): TestWriter {
    return new TestWriter(this.sink, { spillDir: this.root, spoolLimits: this.limits, ...(counts && { counts }) });
  }

  #add(collection: string, result: RecordResult, count: number): void {
    const key = `${collection} ${result}`;
    this.#before.set(key, (this.#before.get(key) ?? 0) + count);
  }

  #total(collection: string, result: RecordResult): number {
    return (this.#before.get(`${collection} ${result}`) ?? 0) + this.#writer.counts.of(collection)[result];
  }
}

for (const seed of [1, 2, 3, 4, 5, 6])
  test(`the account closes after every step of outages, full disks, refusals, lost threads and restarts (${seed})`, async (t) => {
    const random = randomFrom(seed);
    const servers = new Servers(t);
    const { sink, limits } = servers;
    const steps: (() => void | Promise<void>)[] = [
      () => servers.collect(COLLECTIONS[Math.floor(random() * 3)]!, 1 + Math.floor(random() * 4)),
      () => servers.collect(COLLECTIONS[Math.floor(random() * 3)]!, 1),
      () => void (sink.mood = 'takes'),
      () => void (sink.mood = 'fails'),
      () => void (sink.mood = 'takes one'),
      () => void (sink.mood = 'refuses'),
      () => void (limits.bytes = 0),
      () => void (limits.bytes = 40e6),
      () => servers.lose(),
      () => servers.restart(random() < 0.5),
    ];
    for (let n = 0; n < 150; n++) {
      await steps[Math.floor(random() * steps.length)]!();
      await servers.goOn();
      servers.check();
    }
    await servers.end();
  });

test('a stop in the middle of a chunk from a full disk delivers nothing twice, and damaged lines have their reason', async (t) => {
  const root = folder(t);
  const sink = new Moody();
  sink.mood = 'fails';
  const limits = { bytes: 40e6, deadLetterBytes: 10e6 };
  const writer = new TestWriter(sink, { spillDir: root, spoolLimits: limits });
  writer.collect(0, 1);
  await writer.until(({ errors }) => errors.size > 0);
  writer.collect(1, 11);
  await writer.until((counts) => counts.of('model_inputs').spilled === 10);
  limits.bytes = 0;
  sink.mood = 'takes one';
  // One more from disk, of a chunk of ten.
  while ((sink.taken.get('model_inputs') ?? 0) < 2) {
    writer.retry.hurry();
    await turn();
  }
  sink.mood = 'fails';
  await writer.close(0);
  const left = writer.counts.spoolRecords;
  const taken = sink.taken.get('model_inputs') ?? 0;
  assert.equal(left + taken, 11);
  abandon(root);
  const segment = readdirSync(root, { recursive: true, encoding: 'utf8' }).findLast((name) => name.endsWith('.jsonl'));
  appendFileSync(join(root, segment!), 'torn\n');
  sink.mood = 'takes';
  const next = new TestWriter(sink, { spillDir: root });
  assert.equal(next.counts.totals().adopted, left + 1);
  await next.until(({ spoolRecords }) => spoolRecords === 0);
  await next.close();
  assert.equal(sink.taken.get('model_inputs'), 11);
  assert.deepEqual(next.counts.totals().droppedFor, { spill_damaged: 1 });
  assert.equal(next.counts.of('unknown').dropped, 1);
});

test('a new thread that finds more or less than the lost one had reported is accounted for', () => {
  const counts = new CollectionCounts();
  counts.found(new Map([['a', 5]]));
  counts.of('a').spilled += 3;
  counts.of('a').queued += 3;
  // Two more had been written without a report.
  counts.found(
    new Map([
      ['a', 10],
      ['b', 1],
    ]),
  );
  assert.deepEqual([counts.of('a').adopted, counts.of('b').adopted, counts.spoolRecords], [7, 1, 11]);
  // Four had been delivered without a report: nobody knows.
  counts.found(new Map([['a', 7]]));
  assert.deepEqual([counts.of('a').replayed, counts.dropped.get('writer_lost'), counts.spoolRecords], [3, 4, 7]);
});

test('collections beyond a limit share one row, and one line of the account', () => {
  const counts = new CollectionCounts(['request', 'unknown']);
  for (let n = 0; n < 5000; n++) {
    counts.of(`made-${n}`).queued++;
    counts.bodiesOf(`made-${n}`).size++;
  }
  assert.equal(counts.results.size, MOST_COUNTED + 1);
  assert.equal(counts.of(OTHER).queued, 5000 - MOST_COUNTED + 2);
  assert.equal(counts.totals().queued, 5000);
  assert.ok(counts.omitted.size <= MOST_COUNTED + 1);
  const found = new Map(Array.from({ length: 5000 }, (_, n) => [`made-${n}`, 2]));
  counts.found(found);
  assert.deepEqual([counts.totals().adopted, counts.totals().dropped], [10_000, 0]);
});

test('all results, reasons to drop and reasons to leave a body out are there from the start', () => {
  const counts = new CollectionCounts(['request', 'response', 'unknown']);
  assert.deepEqual(
    [...counts.dropped],
    DROP_REASONS.map((reason) => [reason, 0]),
  );
  for (const row of counts.results.values()) assert.deepEqual(Object.keys(row), [...RESULTS]);
  assert.deepEqual([...counts.omitted.keys()], ['request', 'response']);
  assert.deepEqual(
    [...counts.notRedacted],
    REDACTION_FAILURES.map((reason) => [reason, 0]),
  );
});

/** The first cells of a table of a page, after its head. */
function cells(page: string, head: string, occurrence = 0): string[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const body = text.split(head)[occurrence + 1]?.split('\n\n')[0] ?? '';
  return Array.from(body.matchAll(/^\| `(\w+)` \|/gm), ([, name = '']) => name);
}

test('the page lists each result, each reason to drop and each reason to leave a body out, and no other', () => {
  const head = '| reason | meaning |';
  assert.deepEqual(cells('data-collection.md', '| result | meaning |').toSorted(), [...RESULTS].toSorted());
  assert.deepEqual(cells('data-collection.md', head).toSorted(), [...DROP_REASONS].toSorted());
  assert.deepEqual(cells('data-collection.md', head, 1).toSorted(), [...OMIT_REASONS].toSorted());
  const labels = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8').split('\n');
  for (const [metric, values] of [
    ['mdc_records_total', RESULTS],
    ['mdc_bodies_omitted_total', OMIT_REASONS],
  ] as const)
    assert.ok(labels.some((line) => line.startsWith(`| \`${metric}\``) && line.includes(values.map((value) => `\`${value}\``).join(', '))));
});
