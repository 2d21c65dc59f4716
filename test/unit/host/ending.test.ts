import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const ENDING = fileURLToPath(new URL('../../../server/host/ending.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
  readonly ms: number;
}

/** Runs a process of its own, in a folder with a FIFO that nobody writes to, until it has ended. */
async function endingOf(source: string): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), 'ending-'));
  try {
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const head = `
      import { Worker } from 'node:worker_threads';
      import fs from 'node:fs';
      import { Ending } from ${JSON.stringify(ENDING)};
      const log = { error: (fields, text) => fs.writeSync(1, text + '\\n') };
      const flush = () => fs.writeSync(1, 'flushed\\n');
      const ending = new Ending({ host: process, log, flush });
      const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));`;
    const began = performance.now();
    const child = spawn(process.execPath, ['--input-type=module', '--eval', head + source], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), 50_000);
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    return { code, signal, said, ms: performance.now() - began };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('an exit writes the log and ends with its code', async () => {
  const { code, said } = await endingOf('await ending.exit(3);');
  assert.deepEqual([code, said], [3, 'flushed\n']);
});

const stuck = {
  'a thread that is inside a read which does not return': [
    `const thread = new Worker("import('fs').then((fs) => fs.openSync('fifo'))", { eval: true });`,
    'false',
  ],
  'a call to the file system that does not return': [`fs.open('fifo', () => undefined);`, 'true'],
  'such a call of a thread': [
    `const thread = new Worker("import('fs').then((fs) => fs.open('fifo', () => undefined))", { eval: true });`,
    'false',
  ],
  'a thread that makes a folder which cannot be made': [
    `const thread = new Worker("import('fs').then((fs) => fs.mkdirSync('/proc/foo/bar', { recursive: true }))", { eval: true });`,
    'false',
  ],
};
for (const [what, [source, threadsEnded]] of Object.entries(stuck)) {
  test(`${what} keeps neither the process nor its exit code`, async () => {
    const { code, signal, said } = await endingOf(`${source}\nawait later(500);\nawait ending.exit(3, ${threadsEnded});`);
    assert.deepEqual([code, signal], [3, null]);
    assert.match(said, /the process ends without it\nflushed/);
  });
}

test('what waits for ever on the way out is ended at the limit, and the log says so', async () => {
  const { code, said, ms } = await endingOf('ending.begin(500);\nawait new Promise(() => setInterval(() => undefined, 1000));');
  assert.deepEqual([code, said], [1, 'the exit took longer than all of its limits together: the process ends here\nflushed\n']);
  assert.ok(ms < 40_000);
});

test('a main thread that is stuck itself is ended by the thread that watches it', async () => {
  const { signal } = await endingOf('ending.begin(100);\nfor (;;);');
  assert.equal(signal, 'SIGKILL');
});

test('a log that cannot be flushed does not keep the process', async () => {
  for (const flush of ['() => { throw new Error() }', '() => new Promise(() => setInterval(() => undefined, 1000))']) {
    const { code } = await endingOf(`const other = new Ending({ host: process, log, flush: ${flush} });\nawait other.exit(3);`);
    assert.equal(code, 3);
  }
  const { signal } = await endingOf(
    'const other = new Ending({ host: process, log, flush: () => { for (;;); } });\nawait other.atOnce(3);',
  );
  assert.equal(signal, 'SIGKILL');
});

test('an exit that nothing has begun has a limit, too: a log that hangs', async () => {
  const { signal, ms } = await endingOf(`await new Ending({ host: process, log, flush: () => fs.readFileSync('fifo') }).exit(3);`);
  assert.equal(signal, 'SIGKILL');
  assert.ok(ms < 40_000, `${ms}`);
});
