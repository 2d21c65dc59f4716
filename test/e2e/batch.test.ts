import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import { until } from '../set-up/until.ts';
import { SCRIPTS } from './start-server.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const STEPS = 'batch-steps.ts';

interface Row {
  readonly input: string;
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly status: number };
  readonly contentType?: string;
  readonly encoding?: string;
}

interface Options {
  readonly script?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

/** The command as a process. */
class Batch {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  out = '';
  log = '';

  constructor(args: readonly string[], { script = STEPS, env = {}, stdin }: Options = {}) {
    this.child = reaped(
      spawn(process.execPath, [MAIN, 'batch', ...args], {
        cwd: SCRIPTS,
        env: { ...process.env, AZUREML_ENTRY_SCRIPT: script, LOG_FORMAT: 'json', ...env },
        stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      }),
    );
    this.child.stdin?.end(stdin);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })));
  }

  /** Its lines on stdout. */
  get rows(): Row[] {
    return rowsOf(this.out);
  }
}

/** @throws where a line is not whole */
const rowsOf = (text: string): Row[] => {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line is not whole');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
};

/** Runs a batch to its end. */
async function batch(args: readonly string[], options: Options = {}): Promise<{ code: number | null; rows: Row[]; log: string }> {
  const process = new Batch(args, options);
  const { code } = await process.ended;
  return { code, rows: process.rows, log: process.log };
}

function lines(values: readonly unknown[], name = 'in.jsonl'): string {
  const path = join(folder(), name);
  writeFileSync(path, values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join(''));
  return path;
}

test('lines come out in order although later ones are done first', async () => {
  const input = lines(Array.from({ length: 100 }, (_, n) => ({ n, ms: (n * 7) % 40 })));
  const output = join(folder(), 'out.jsonl');
  const { code, rows } = await batch(['--input', input, '--output', output], { env: { WORKER_COUNT: '2', WORKER_CONCURRENCY: '8' } });
  assert.deepEqual([code, rows], [0, []]);
  assert.deepEqual(
    rowsOf(readFileSync(output, 'utf8')),
    Array.from({ length: 100 }, (_, n) => ({ input: `in.jsonl:${n + 1}`, output: { n } })),
  );
});

test('each kind of error is a line, and never the end', async () => {
  const kinds = [
    { n: 1 },
    '{bad',
    '',
    { is: 'thrown' },
    { is: 'refused' },
    `"${'x'.repeat(3000)}"`,
    { is: 'text' },
    { is: 'bytes' },
    { n: 2 },
  ];
  const { code, rows, log } = await batch(['--input', lines(kinds), '--output', '-'], { env: { BODY_LIMIT_BYTES: '2000' } });
  assert.equal(code, 0);
  assert.deepEqual(
    rows.map(({ input, output, error }) => [input, output ?? [error?.code, error?.status]]),
    [
      ['in.jsonl:1', { n: 1 }],
      ['in.jsonl:2', ['bad_json', 400]],
      ['in.jsonl:4', ['run_failed', 500]],
      ['in.jsonl:5', ['script_answer', 422]],
      ['in.jsonl:6', ['body_too_large', 413]],
      ['in.jsonl:7', 'a,b\n'],
      ['in.jsonl:8', '/wA='],
      ['in.jsonl:9', { n: 2 }],
    ],
  );
  assert.equal(rows[3]?.error?.message, 'n must be positive');
  assert.deepEqual([rows[5]?.contentType, rows[5]?.encoding], ['text/csv', undefined]);
  assert.deepEqual([rows[6]?.contentType, rows[6]?.encoding], ['image/png', 'base64']);
  assert.match(log, /as the line asks/, 'the log has the reason that the output withholds');
});

test('an input that ends its worker costs no other input', async () => {
  const values = Array.from({ length: 20 }, (_, n) => (n === 7 ? { is: 'exit', ms: 50 } : { n, ms: 100 }));
  const { code, rows } = await batch(['--input', lines(values), '--output', '-']);
  assert.equal(code, 0);
  assert.deepEqual(
    rows.map(({ output, error }) => error?.code ?? output),
    values.map((_, n) => (n === 7 ? 'worker_lost' : { n })),
  );
});

for (const is of ['spin', 'never'])
  test(`a run that does not end is an error once nothing was answered for SCORING_TIMEOUT_MS: ${is}`, async () => {
    const values = [{ n: 0 }, { is }, ...Array.from({ length: 10 }, (_, n) => ({ n: n + 1, ms: 100 }))];
    const env = { SCORING_TIMEOUT_MS: '4000', CANCEL_GRACE_MS: '200', WORKER_CONCURRENCY: '2' };
    const { code, rows } = await batch(['--input', lines(values), '--output', '-'], { env });
    assert.equal(code, 0);
    assert.equal(rows.length, values.length);
    assert.equal(rows[1]?.error?.code, 'deadline_exceeded');
    assert.deepEqual(
      rows.slice(2).map(({ output }) => output),
      Array.from({ length: 10 }, (_, n) => ({ n: n + 1 })),
    );
  });

test('runs that are slow one after the other are no errors, however long the last one waits', async () => {
  const values = Array.from({ length: 12 }, (_, n) => ({ n, ms: 400 }));
  const env = { SCORING_TIMEOUT_MS: '4000', WORKER_CONCURRENCY: '1' };
  const { rows } = await batch(['--input', lines(values), '--output', '-'], { env });
  assert.deepEqual(
    rows.map(({ output }) => output),
    values.map(({ n }) => ({ n })),
  );
});

test('a queue that takes nothing fails no input, also while the worker is replaced', async () => {
  const values = Array.from({ length: 20 }, (_, n) => (n === 7 ? { is: 'exit' } : { n }));
  const env = { WORKER_CONCURRENCY: '1', QUEUE_MAX_REQUESTS: '0', QUEUE_MAX_BYTES: '20', BODY_LIMIT_BYTES: '20' };
  const { rows } = await batch(['--input', lines(values), '--output', '-'], { env });
  assert.deepEqual(
    rows.map(({ output, error }) => error?.code ?? output),
    values.map((_, n) => (n === 7 ? 'worker_lost' : { n })),
  );
});

test('an output that is a link to the input is refused, and the input stays', async () => {
  const input = lines([{ n: 1 }]);
  const link = join(folder(), 'out.jsonl');
  symlinkSync(input, link);
  const { code, log } = await batch(['--input', input, '--output', link]);
  assert.equal(code, 2, log);
  assert.equal(readFileSync(input, 'utf8'), '{"n":1}\n');
});

test('the error threshold ends the batch with 1, and the lines until then are whole', async () => {
  const values = Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? '{' : { n }));
  const beyond = await batch(['--input', lines(values), '--output', '-', '--error-threshold', '3']);
  assert.equal(beyond.code, 1);
  assert.equal(beyond.rows.filter(({ error }) => error !== undefined).length, 4);
  assert.match(beyond.log, /more inputs failed than --error-threshold 3 allows/);
  const within = await batch(['--input', lines(values), '--output', '-', '--error-threshold', '25']);
  assert.deepEqual([within.code, within.rows.length], [0, 50]);
});

/** A folder as a volume is: nested, with links, and with what is no input. */
function inputFolder(): string {
  const root = folder();
  mkdirSync(join(root, 'b'));
  mkdirSync(join(root, '..data'));
  writeFileSync(join(root, '..data', 'linked.json'), '"linked"');
  symlinkSync(join('..data', 'linked.json'), join(root, 'linked.json'));
  symlinkSync('b', join(root, 'again'));
  symlinkSync('nowhere', join(root, 'broken.json'));
  writeFileSync(join(root, '.hidden.json'), '1');
  writeFileSync(join(root, 'a.json'), '{\n  "pretty": true\n}');
  writeFileSync(join(root, 'b', 'rows.jsonl'), '1\n\n2\n');
  writeFileSync(join(root, 'b', 'table.csv'), 'x,y\n1,2\n');
  writeFileSync(join(root, 'image.png'), Buffer.from([0x89, 0x50]));
  writeFileSync(join(root, 'note.txt'), 'hello');
  return root;
}

test('the files of a folder are inputs by their extension, sorted by path', async () => {
  const { code, rows } = await batch(['--input', inputFolder(), '--output', '-'], { script: 'kind.ts' });
  assert.equal(code, 0);
  assert.deepEqual(
    rows.map(({ input, output }) => [input, output]),
    [
      ['a.json', { object: { pretty: true } }],
      ['b/rows.jsonl:1', { number: 1 }],
      ['b/rows.jsonl:3', { number: 2 }],
      ['b/table.csv', { string: 'x,y\n1,2\n' }],
      ['image.png', { bytes: '\x89P' }],
      ['linked.json', { string: 'linked' }],
      ['note.txt', { string: 'hello' }],
    ],
  );
});

test('the shards of a folder and of a file cover every input exactly once', async () => {
  const root = inputFolder();
  const file = lines(Array.from({ length: 11 }, (_, n) => n));
  for (const input of [root, file]) {
    const whole = await batch(['--input', input, '--output', '-'], { script: 'kind.ts' });
    const shards = await Promise.all(
      ['0', '1', '2'].map((JOB_COMPLETION_INDEX) =>
        batch(['--input', input, '--output', '-', '--shard', 'auto/3'], { script: 'kind.ts', env: { JOB_COMPLETION_INDEX } }),
      ),
    );
    const all = shards.flatMap(({ rows }) => rows.map((row) => row.input));
    assert.deepEqual(all.toSorted(), whole.rows.map((row) => row.input).toSorted());
  }
});

test('stdin is an input, and stdout has the lines alone', async () => {
  const { code, rows } = await batch(['--input', '-', '--output', '-'], { stdin: '{"n":1}\n{"n":2}' });
  assert.equal(code, 0);
  assert.deepEqual(rows, [
    { input: '-:1', output: { n: 1 } },
    { input: '-:2', output: { n: 2 } },
  ]);
});

test('an empty input is done with 0', async () => {
  assert.deepEqual(await batch(['--input', lines([]), '--output', '-']).then(({ code, rows }) => [code, rows]), [0, []]);
});

for (const [args, env, expected, says] of [
  [['--output', '-'], {}, 2, /scoring-server batch cannot start:\n {2}--input: expected this flag/],
  [['--input', '-', '--output', '-', '--worker-count', 'x'], {}, 2, /--worker-count: expected/],
  [['--input', '-', '--output', '-'], { AZUREML_ENTRY_SCRIPT: 'none.ts' }, 3, /none\.ts/],
  [['--input', '-', '--output', '-'], { AZUREML_ENTRY_SCRIPT: 'init-throws.ts' }, 3, /init/],
] as const)
  test(`a batch that cannot start ends with ${expected}: ${args.join(' ')} ${Object.values(env).join('')}`, async () => {
    const { code, rows, log } = await batch(args, { env: { ...env }, stdin: '1\n' });
    assert.deepEqual([code, rows], [expected, []]);
    assert.match(log, says);
  });

test('an output that cannot be written ends the batch with 1', async () => {
  const input = lines(Array.from({ length: 9 }, (_, n) => ({ n, ms: 200 })));
  const { code, log } = await batch(['--input', input, '--output', '/dev/full'], { env: { WORKER_CONCURRENCY: '1' } });
  assert.equal(code, 1);
  assert.doesNotMatch(log, /"code":"stopping"/, 'the inputs that are cut off have no lines of their own');
  assert.match(log, /the output cannot be written to \/dev\/full.*ENOSPC/);
});

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  test(`${signal} ends a batch with 1, and leaves whole lines in order`, async () => {
    const output = join(folder(), 'out.jsonl');
    const input = lines(Array.from({ length: 500 }, (_, n) => ({ n, ms: 20 })));
    const process = new Batch(['--input', input, '--output', output], { env: { WORKER_CONCURRENCY: '2' } });
    const written = (): string => (readdirSync(join(output, '..')).length === 0 ? '' : readFileSync(output, 'utf8'));
    await until(() => written().split('\n').length > 10);
    process.child.kill(signal);
    assert.deepEqual(await process.ended, { code: 1, signal: null });
    const rows = rowsOf(written());
    assert.ok(rows.length >= 10 && rows.length < 500);
    assert.deepEqual(
      rows.map(({ output: value }) => value),
      rows.map((_, n) => ({ n })),
    );
  });

/** Most resident memory of a process until now, in MiB. */
const peakOf = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

test('a batch of 200 MB holds a part of it, also while nobody reads its output', async () => {
  const path = join(folder(), 'in.jsonl');
  const sink = createWriteStream(path);
  const line = `${JSON.stringify({ n: 1, filling: 'x'.repeat(100_000) })}\n`;
  const count = 2000;
  for (let n = 0; n < count; n++) if (!sink.write(line)) await new Promise<void>((resolve) => sink.once('drain', () => resolve()));
  await finished(sink.end());
  const out = new Batch(['--input', path, '--output', '-'], { script: 'echo.ts' });
  const { pid = 0, stdout, stderr } = out.child;
  // The reader takes nothing for a while: pipe, window and memory fill up.
  stdout?.pause();
  stderr?.resume();
  await until(() => out.log.includes('"ready"'));
  let peak = peakOf(pid);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  peak = Math.max(peak, peakOf(pid));
  stdout?.removeAllListeners('data');
  let seen = 0;
  for await (const text of createInterface({ input: stdout ?? createReadStream(path) })) {
    seen++;
    assert.ok(text.startsWith(`{"input":"in.jsonl:${seen}",`));
    if (seen % 100 === 0 && seen < count) peak = Math.max(peak, peakOf(pid));
  }
  assert.equal((await out.ended).code, 0);
  assert.equal(seen, count);
  assert.ok(peak < 200, `the host held ${Math.round(peak)} MiB`);
});
