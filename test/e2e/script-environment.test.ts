import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { secretVariables } from '../../server/config/secret-variables.ts';
import { folder } from '../set-up/folder.ts';
import { noProc } from '../set-up/processes.ts';
import { until } from '../set-up/until.ts';
import { freePort } from './free-port.ts';
import { SCRIPTS, withServer, type ServerProcess, type StartOptions } from './start-server.ts';

type Attempts = readonly (readonly [way: string, target: string])[];

const serve = (use: (server: ServerProcess) => Promise<void>, options: StartOptions = {}): Promise<void> =>
  withServer(['--entry-script', join(SCRIPTS, 'attempts.ts')], async (server) => use(await server.ready()), options);

/** What came of each attempt of the script. */
async function attempt(server: ServerProcess, attempts: Attempts): Promise<string[]> {
  const answer = await server.score(attempts);
  return (await answer.json()) as string[];
}

test('a script gets no variable of a secret option, and all the others', async () => {
  // Empty values switch nothing on, and are there all the same.
  const env = {
    ...Object.fromEntries([...secretVariables].map((name) => [name, ''])),
    FEATURE_STORE: 'mine',
    HTTPS_PROXY: 'http://u:p@127.0.0.1:1',
  };
  await serve(
    async (server) => {
      const [names = ''] = await attempt(server, [['names', '']]);
      const seen = names.split(',');
      assert.deepEqual(
        [...secretVariables].filter((name) => seen.includes(name)),
        [],
      );
      for (const name of ['FEATURE_STORE', 'HTTPS_PROXY', 'PATH', 'AML_APP_INSIGHTS_ENABLED']) assert.ok(seen.includes(name), name);
    },
    { env },
  );
});

test('a script gets the secrets that WORKER_SECRETS names, and no other', async () => {
  const env = { WORKER_SECRETS: 'MDC_HTTP_HEADERS, AML_APP_INSIGHTS_KEY' };
  await serve(
    async (server) => {
      const seen = await attempt(server, [
        ['variable', 'AML_APP_INSIGHTS_KEY'],
        ['variable', 'AML_MODEL_DC_STORAGE'],
        ['variable', 'OTEL_EXPORTER_OTLP_HEADERS'],
      ]);
      assert.match(seen[0] ?? '', /^91a47ed0-/);
      assert.deepEqual(seen.slice(1), ['absent', 'absent']);
    },
    { env },
  );
});

test('a name in WORKER_SECRETS that is none of a secret stops the start', async () => {
  await withServer(
    ['--entry-script', 'echo.ts'],
    async (server) => {
      assert.equal((await server.exited).code, 2);
      assert.match(server.stderr, /WORKER_SECRETS: expected names among SCORING_KEYS, .*, got "PATH"/);
    },
    { env: { WORKER_SECRETS: 'PATH' } },
  );
});

test('a script gets no secret of config.json or of a flag', async () => {
  const cwd = folder();
  const values = {
    AML_MODEL_DC_STORAGE: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=S3cretMark00;EndpointSuffix=x.y',
    MDC_HTTP_HEADERS: 'a=S3cretMark',
  };
  writeFileSync(join(cwd, 'config.json'), JSON.stringify(values));
  const args = [
    '--entry-script',
    join(SCRIPTS, 'attempts.ts'),
    '--appinsights-instrumentation-key',
    '5ec4e7ed-0000-4000-8000-000000000000',
  ];
  const env = {
    APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=5ec4e7ed-0000-4000-8000-000000000000;IngestionEndpoint=http://127.0.0.1:1/',
  };
  await withServer(
    args,
    async (server) => {
      await server.ready();
      const seen = await attempt(server, [
        ...Object.keys(values).map((name) => ['variable', name] as const),
        ['variable', 'AML_APP_INSIGHTS_KEY'],
      ]);
      assert.deepEqual(seen, ['absent', 'absent', 'absent']);
      if (noProc === false) assert.doesNotMatch(readFileSync(`/proc/${server.workers[0]}/environ`, 'latin1'), /S3cretMark|5ec4e7ed/);
    },
    { cwd, env },
  );
});

// docs/rights.md says so, and what prevents it.
test("a script of the server's own user reads the environment of the server", { skip: noProc }, async () => {
  await serve(async (server) => {
    const [environment = ''] = await attempt(server, [['read', `/proc/${server.pid}/environ`]]);
    assert.match(environment, /^(?:.*\0)?MDC_HTTP_HEADERS=/s);
  });
});

/** What the descriptors of a process lead to. */
const linksOf = (pid: number): Map<string, string> =>
  new Map(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [[fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const];
      } catch {
        return [];
      }
    }),
  );

test('a worker, and what its script starts, hold no socket, log, spool or file of the host', { skip: noProc }, async () => {
  const spool = folder();
  const env = {
    GRPC_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    // The first connection to it fails, so that records go to the spool.
    MDC_HTTP_URL: 'http://127.0.0.1:1/',
    MDC_SPILL_DIR: spool,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    WORKER_COUNT: '2',
  };
  await serve(
    async (server) => {
      const port = await server.port();
      const client = connect(port, '127.0.0.1').on('error', () => undefined);
      const [own = '', child = ''] = await attempt(server, [
        ['descriptors', ''],
        ['run', 'ls -l /proc/self/fd'],
      ]);
      await until(() => readdirSync(spool).length > 0);
      const host = new Set(linksOf(server.pid).values());
      // Node passes on what it was started with beyond descriptor 15: docs/rights.md.
      const launchers = new Set([...linksOf(process.pid)].filter(([fd]) => Number(fd) > 15).map(([, link]) => link));
      assert.ok([...host].some((link) => link.startsWith('socket:')));
      for (const worker of server.workers) {
        const links = linksOf(worker);
        assert.equal(links.get('0'), '/dev/null');
        for (const fd of ['1', '2', '3']) assert.match(links.get(fd) ?? '', /^socket:/);
        assert.match(links.get('4') ?? '', /scoring-server-.* \(deleted\)$/);
        const shared = [...links].filter(([fd, link]) => fd !== '4' && host.has(link) && !/^(?:anon_inode:|\/dev\/null$)/.test(link));
        assert.deepEqual(
          shared.filter(([, link]) => !launchers.has(link)),
          [],
        );
      }
      assert.doesNotMatch(own, /hostname|\.jsonl/);
      // Its own three, the folder that it lists, and what the tests themselves were started with.
      const left = [...child.matchAll(/ (\d+) -> (.*)$/gm)].filter(([, , link = '']) => !launchers.has(link));
      assert.deepEqual(
        left.map(([, fd]) => fd),
        ['0', '1', '2', '3'],
      );
      assert.match(child, / 3 -> \/proc\//);
      client.destroy();
    },
    { env, prelude: 'exec 3</etc/hostname 9</etc/hostname' },
  );
});

test('a report of Node about the host or a worker has no environment', { skip: noProc }, async () => {
  const reports = folder();
  const env = { NODE_OPTIONS: `--report-on-signal --report-signal=SIGUSR2 --report-directory=${reports}` };
  await serve(
    async (server) => {
      for (const pid of [server.pid, ...server.workers]) process.kill(pid, 'SIGUSR2');
      await until(() => readdirSync(reports).length === 2);
      for (const file of readdirSync(reports)) {
        await until(() => readFileSync(join(reports, file), 'utf8').trimEnd().endsWith('}'));
        const report = JSON.parse(readFileSync(join(reports, file), 'utf8')) as Record<string, unknown>;
        assert.equal('environmentVariables' in report, false);
        assert.doesNotMatch(JSON.stringify(report), /Pl4ntedMark|91a47ed0/);
      }
    },
    { env },
  );
});
