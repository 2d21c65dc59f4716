import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { noCgroup, withMemory } from '../e2e/memory-cgroup.ts';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { memory } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';

const MB = 2 ** 20;
/** What data collection may add to a host: server/collection/README.md, "Limits". */
const BOUND_MB = 256;
/** Of the host and its worker, without collection. */
const SERVER_MB = 320;
/** The limit on disk, which is not an option. */
const SPOOL_MB = 512;

/** A target that counts events once it is opened. Before, it answers 503. */
async function target(t: TestContext): Promise<{ readonly url: string; open: boolean; events: number }> {
  const state = { url: '', open: false, events: 0 };
  const server = createServer((incoming, outgoing) => {
    incoming.resume().once('end', () => {
      if (state.open) state.events++;
      outgoing.writeHead(state.open ? 200 : 503).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return state;
}

/** A spool that an earlier process has left, in which there is room for so many bytes. */
function fullSpool(room: number): string {
  const root = folder();
  const old = join(root, 'old');
  mkdirSync(old);
  writeFileSync(join(old, 'owner.json'), JSON.stringify({ host: hostname(), pid: 2 ** 30, started: 'x', thread: 0 }));
  const line = `{"specversion":"1.0","id":"1","source":"/a","type":"azureml.inference.rows","datacontenttype":"application/json","time":"2026-03-05T18:16:25Z","data":[{"n":1}]}\n`;
  writeFileSync(join(old, '000001.jsonl'), line);
  // It takes no room on the real disk.
  writeFileSync(join(old, 'payload000002'), '');
  truncateSync(join(old, 'payload000002'), SPOOL_MB * MB - room);
  return root;
}

/** Sends requests from several clients. */
async function load(server: ServerProcess, requests: number, data: unknown): Promise<void> {
  let left = requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const answer = await server.score(data);
      assert.equal(answer.status, 200);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
}

/** The sums of the account, by result, of all collections. */
async function sums(server: ServerProcess): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const [, result = '', value] of (await server.metrics()).matchAll(/^mdc_records_total\{.*result="(\w+)"\} (\d+)$/gm))
    totals[result] = (totals[result] ?? 0) + Number(value);
  return totals;
}

const LOADS = {
  'answers of 2 MB': { data: { bytes: 2 * MB }, requests: 120 },
  'many small requests': { data: { bytes: 10 }, requests: 600 },
};

for (const [name, { data, requests }] of Object.entries(LOADS))
  for (const spilled of [true, false])
    test(
      `a server survives an outage of its sink, ${spilled ? 'with a spool at its limit' : 'without a spool'}, under ${name}`,
      { skip: noCgroup },
      async (t) => {
        const sink = await target(t);
        const env = {
          MDC_HTTP_URL: sink.url,
          ACCESS_LOG: 'false',
          DRAIN_DELAY_MS: '0',
          MDC_FLUSH_TIMEOUT_MS: '30000',
          ...(spilled && { MDC_SPILL_DIR: fullSpool(200_000) }),
        };
        await withMemory((SERVER_MB + BOUND_MB) * MB, async (prelude) => {
          const server = new ServerProcess(['--entry-script', 'large-reply.ts'], { env, prelude });
          try {
            await server.ready();
            await load(server, 20, data);
            const before = memory(server.pid);
            await load(server, requests, data);
            assert.ok(memory(server.pid, 'VmHWM') - before <= BOUND_MB, `${memory(server.pid, 'VmHWM')} MB, before ${before} MB`);
            const waiting = await server.metric('mdc_queue_bytes');
            // What grew as it was encoded comes on top of what the host admits.
            assert.ok(waiting <= 72 * MB, `mdc_queue_bytes says ${waiting}`);
            if (name === 'answers of 2 MB') assert.ok(waiting > 40 * MB, `mdc_queue_bytes says ${waiting}`);
            sink.open = true;
            await until(async () => (await server.metric('mdc_queue_records')) + (await server.metric('mdc_spool_records')) === 0);
            const { queued = 0, adopted = 0, sent = 0, dropped = 0 } = await sums(server);
            assert.equal(adopted, spilled ? 1 : 0);
            assert.equal(queued, 2 * (requests + 20));
            assert.equal(queued + adopted, sent + dropped);
            assert.equal(sink.events, sent);
            assert.equal(await server.metric('mdc_queue_bytes'), 0);
            await server.drain();
          } finally {
            await server.stop();
          }
        });
      },
    );
