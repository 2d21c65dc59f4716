import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, ownAddress } from '../e2e/free-port.ts';
import { SCRIPTS } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { makePair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';
import { manifests } from './api.ts';
import { startCluster, type Cluster } from './cluster.ts';
import type { Deployment, Resource } from './objects.ts';
import { Load, send, type Target } from './pod-load.ts';
import { PodProcess, type Files } from './pod-process.ts';
import { PRESENT } from './previous.ts';

const KEY = 'a-key-of-a-client-0123456789';
/** The deadline of requests in milliseconds: the chart computes the stop of the pod from it. */
const DEADLINE = 6000;
const CLIENTS = 6;

test('the server keeps every request when it runs and stops as the API server gives its Deployment to a kubelet', async (t) => {
  const cluster = await startCluster(t, 'api');
  await cluster.defineCustomResources();
  await t.test('one CPU pod; the last request is as slow as its deadline permits', (own) => rollOver(own, cluster, 'cpu-pod', 'slow'));
  await t.test('one CPU pod; the last request never ends', (own) => rollOver(own, cluster, 'cpu-pod', 'endless'));
  await t.test('with TLS, keys and gRPC, from the links of mounted Secrets', (own) => rollOver(own, cluster, 'autoscaled', 'slow'));
});

async function rollOver(t: TestContext, cluster: Cluster, values: string, last: 'slow' | 'endless'): Promise<void> {
  const { metadata, spec } = await deployment(cluster, values);
  const secrets = await mountedSecrets(cluster, metadata.name);
  const pod = new PodProcess(spec.template.spec, secrets);
  t.after(() => pod.child.kill('SIGKILL'));
  await pod.started();
  const { readinessProbe, livenessProbe, ports } = pod.container;
  assert.deepEqual([await pod.probe(readinessProbe), await pod.probe(livenessProbe)], [true, true]);
  for (const { name } of ports) await listens(pod.host, pod.port(name));
  const tls = pod.container.env.some(({ name }) => name === 'TLS_CERT_FILE');
  const target: Target = { host: pod.host, port: pod.port('http'), ...(tls ? { ca: secrets['tls']!['tls.crt']!, key: KEY } : {}) };

  const load = new Load(target, CLIENTS);
  await until(() => load.results.length > 50);
  const order = performance.now();
  let term = 0;
  let lastAnswer: ReturnType<typeof send> | undefined;
  const ended = pod.end(() => {
    term = performance.now();
    lastAnswer = send(target, last === 'slow' ? DEADLINE - 1500 : 1e6);
  });
  await until(() => pod.lines.some((line) => line.includes('"draining"')));
  assert.deepEqual([await pod.probe(readinessProbe), await pod.probe(livenessProbe)], [false, true]);
  // Slow load balancers: they send requests here for half of the delay more.
  await delay(Number(pod.container.env.find(({ name }) => name === 'DRAIN_DELAY_MS')?.value) / 2);
  await load.finish();
  const end = await ended;

  assert.deepEqual([...new Set(load.results.map(({ outcome }) => outcome))], [200]);
  const sentIn = (from: number, to: number): number => load.results.filter(({ at }) => at >= from && at < to).length;
  t.diagnostic(
    `${sentIn(0, order)} requests before the order to end, ${sentIn(order, term)} in preStop, ${sentIn(term, Infinity)} after SIGTERM`,
  );
  // The number follows from the speed of the machine; each client sends at least one in each part.
  assert.ok(sentIn(order, term) >= CLIENTS && sentIn(term, Infinity) >= CLIENTS);
  assert.equal((await lastAnswer)?.outcome, last === 'slow' ? 200 : 504);
  const grace = spec.template.spec.terminationGracePeriodSeconds;
  t.diagnostic(`it ended ${end.seconds.toFixed(1)} s after the order, of ${grace} s`);
  assert.deepEqual([end.code, end.signal], [0, null], pod.output);
  assert.ok(end.seconds < grace);
}

/** The Deployment of a values file as the API server completes it, on ports that are free. */
async function deployment(cluster: Cluster, values: string): Promise<Deployment> {
  const host = ownAddress();
  const ports = await freePorts(4, host);
  const settings = [
    `host=${host}`,
    ...['port', 'metrics.port', 'grpc.port', 'tls.healthPort'].map((name, index) => `${name}=${ports[index]}`),
    `options.AZUREML_ENTRY_SCRIPT=${join(SCRIPTS, 'sleeps.ts')}`,
    `options.SCORING_TIMEOUT_MS=${DEADLINE}`,
  ];
  const flags = settings.flatMap((each) => ['--set', each]);
  const rendered = await cluster.helm(
    'template',
    'one',
    PRESENT.chart,
    '-n',
    'default',
    '-f',
    PRESENT.values(values),
    '--validate',
    ...flags,
  );
  const manifest = manifests(rendered).find(({ kind }) => kind === 'Deployment');
  assert.ok(manifest !== undefined);
  const path = `${await cluster.api.pathOf(manifest, 'default')}?dryRun=All&fieldValidation=Strict`;
  return cluster.api.call<Deployment>('POST', path, manifest.yaml, 'application/yaml');
}

/** What volumes of Secrets hold, as the API server gives it to a kubelet. */
async function mountedSecrets(cluster: Cluster, name: string): Promise<Record<string, Files>> {
  const { certificate, key } = makePair(folder(), name, { names: `IP:${ownAddress()}` });
  const given = { keys: { client: KEY }, tls: { 'tls.crt': readFileSync(certificate, 'utf8'), 'tls.key': readFileSync(key, 'utf8') } };
  const entries = Object.entries(given).map(async ([volume, stringData]) => {
    const secret = { metadata: { generateName: `${volume}-` }, stringData };
    const { data } = await cluster.api.call<Resource & { data: Record<string, string> }>(
      'POST',
      '/api/v1/namespaces/default/secrets',
      secret,
    );
    return [volume, Object.fromEntries(Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64')]))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function listens(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  socket.destroy();
}
