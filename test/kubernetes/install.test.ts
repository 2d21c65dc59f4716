import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { makePair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';
import { manifests, type Manifest } from './api.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { rolledOut, type Deployment, type List, type Resource } from './objects.ts';
import { PRESENT, previous, type Charts } from './previous.ts';

const NAMES = readdirSync(new URL('../../deploy/helm/values/', import.meta.url)).map((file) => basename(file, '.yaml'));

test('a real API server takes the chart, and refuses what is wrong', { concurrency: true }, async (t) => {
  const cluster = await startCluster(t);
  await cluster.node('cpu-1');
  await cluster.node('cpu-2', { zone: 'two' });
  await cluster.node('gpu-1', { gpus: 1 });
  await cluster.node('gpu-2', { gpus: 1, zone: 'two' });
  await cluster.defineCustomResources();
  const older = previous(folder());
  for (const name of NAMES) await prepare(cluster, name);
  await Promise.all(
    NAMES.map((name) =>
      t.test(`${name}.yaml is installed in its previous version, upgraded and uninstalled, and leaves nothing`, (own) =>
        upgrade(own, cluster, name, older),
      ),
    ),
  );
  await t.test('a wrong manifest is refused, and the refusal names the field', () => refuses(cluster));
});

test('the previous version of the chart is the one of the last commit that had another', () => {
  const repository = folder();
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=tests', '-c', 'user.email=tests@example.com', ...args], { cwd: repository });
  git('init', '-q');
  mkdirSync(join(repository, 'deploy'));
  cpSync(join(PRESENT.chart, '..'), join(repository, 'deploy/helm'), { recursive: true });
  const description = join(repository, 'deploy/helm/scoring-server/Chart.yaml');
  const text = readFileSync(description, 'utf8').replace(/^version: .*$/m, 'version: 3.2.0');
  for (const version of ['3.1.0', '3.2.0', '3.3.0']) {
    writeFileSync(description, text.replace('3.2.0', version));
    git('add', '-A');
    git('commit', '-q', '-m', version);
  }
  const target = folder();
  const found = previous(target, repository);
  assert.match(readFileSync(join(found.chart, 'Chart.yaml'), 'utf8'), /^version: 3\.2\.0$/m);
  assert.deepEqual(found.flags, []);
  assert.ok(found.values('gpu').startsWith(target));
});

/** A namespace, and in it what the values files say that users bring. */
async function prepare(cluster: Cluster, namespace: string): Promise<void> {
  await cluster.namespace(namespace);
  const { certificate, key } = makePair(folder(), 'scoring');
  const [cert, secret] = [readFileSync(certificate, 'utf8'), readFileSync(key, 'utf8')];
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  await cluster.api.call('POST', secrets, { metadata: { name: 'scoring-keys' }, stringData: { client: 'a-key-of-a-client' } });
  const stringData = { 'tls.crt': cert, 'tls.key': secret };
  await cluster.api.call('POST', secrets, { metadata: { name: 'scoring-tls' }, type: 'kubernetes.io/tls', stringData });
  const storage = { accessModes: ['ReadOnlyMany'], storageClassName: '' };
  const volume = { ...storage, capacity: { storage: '1Gi' }, hostPath: { path: '/models' }, claimRef: { namespace, name: 'models' } };
  await cluster.api.call('POST', '/api/v1/persistentvolumes', { metadata: { name: `models-${namespace}` }, spec: volume });
  await cluster.api.call('POST', `/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    metadata: { name: 'models' },
    spec: { ...storage, resources: { requests: { storage: '1Gi' } }, volumeName: `models-${namespace}` },
  });
}

async function upgrade(t: TestContext, cluster: Cluster, name: string, older: Charts): Promise<void> {
  const before = await everything(cluster, name);
  const helm = (command: string, charts: Charts) =>
    cluster.helm(command, 'one', charts.chart, '-n', name, '-f', charts.values(name), ...charts.flags, '--wait', '--timeout=200s');
  await t.test('the API server knows every field of it', async () => {
    const rendered = await cluster.helm('template', 'one', PRESENT.chart, '-n', name, '-f', PRESENT.values(name), '--validate');
    for (const manifest of manifests(rendered)) {
      const path = `${await cluster.api.pathOf(manifest, name)}?dryRun=All&fieldValidation=Strict`;
      await cluster.api.call('POST', path, manifest.yaml, 'application/yaml');
    }
  });
  await helm('install', older);
  const installed = await deployments(cluster, name);
  for (const { metadata } of installed) await scale(cluster, name, metadata.name, 3);
  await helm('upgrade', PRESENT);
  await cluster.api.watch<Deployment>(`/apis/apps/v1/namespaces/${name}/deployments`, (items) => items.every(rolledOut));
  const manifest = manifests(await cluster.helm('get', 'manifest', 'one', '-n', name));
  const after = await everything(cluster, name);
  const missing = manifest.filter(({ kind, name: own }) => !after.some(({ label }) => label === `${kind} ${own}`));
  assert.deepEqual(missing, []);
  await assertUpgraded(cluster, name, installed, manifest);
  await cluster.helm('uninstall', 'one', '-n', name, '--wait', '--timeout=200s');
  await until(async () => (await everything(cluster, name)).length <= before.length);
  assert.deepEqual(await everything(cluster, name), before);
}

/** The same Deployments as before run what the values file asks for. */
async function assertUpgraded(
  cluster: Cluster,
  namespace: string,
  installed: readonly Deployment[],
  manifest: readonly Manifest[],
): Promise<void> {
  const upgraded = await deployments(cluster, namespace);
  assert.deepEqual(upgraded.map(identity), installed.map(identity));
  assert.equal(upgraded.length, manifest.filter(({ kind }) => kind === 'Deployment').length);
  for (const { spec } of upgraded) {
    const image = spec.template.spec.containers.map((each) => each.image);
    const pods = await cluster.api.pods(namespace);
    assert.ok(!image.some((each) => each.includes('older')), image.join());
    assert.deepEqual(
      pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map((pod) => pod.spec.containers.map((each) => each.image)),
      Array.from({ length: spec.replicas }, () => image),
    );
    // An autoscaler's number outlives an upgrade; the values' own number is set again.
    const yaml = manifest.find(({ kind }) => kind === 'Deployment')?.yaml ?? '';
    assert.equal(spec.replicas, Number(/^ {2}replicas: (\d+)/m.exec(yaml)?.[1] ?? 3));
  }
}

const identity = ({ metadata, spec }: Deployment) => ({ uid: metadata.uid, name: metadata.name, selector: spec.selector });

async function deployments(cluster: Cluster, namespace: string): Promise<readonly Deployment[]> {
  return (await cluster.api.get<List<Deployment>>(`/apis/apps/v1/namespaces/${namespace}/deployments`)).items;
}

async function scale(cluster: Cluster, namespace: string, name: string, replicas: number): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}/scale`;
  await cluster.api.patch(path, { spec: { replicas } });
}

/** Every object of a namespace and of the cluster but events, which stay for an hour. */
async function everything(cluster: Cluster, namespace: string) {
  const kinds = (await cluster.api.kinds()).filter(({ kind, verbs }) => kind !== 'Event' && verbs.includes('list'));
  const lists = await Promise.all(
    kinds.map(async ({ kind, path }) => {
      const { items } = await cluster.api.get<List>(path(namespace));
      return items.map(({ metadata }: Resource) => ({ label: `${kind} ${metadata.name}`, uid: metadata.uid }));
    }),
  );
  // A kind with several versions is listed once for each.
  const found = new Map(lists.flat().map((each) => [`${each.label} ${each.uid}`, each]));
  return [...found.values()].toSorted((one, two) => one.label.localeCompare(two.label));
}

async function refuses(cluster: Cluster): Promise<void> {
  await cluster.namespace('refusals');
  const render = async (values: string): Promise<readonly Manifest[]> =>
    manifests(await cluster.helm('template', 'one', PRESENT.chart, '-n', 'refusals', '-f', PRESENT.values(values), '--validate'));
  const cases = [
    ['cpu-pod', 'Deployment', /name: http\b/, 'name: Not_A_Port', 'spec.template.spec.containers[0].ports[0].name'],
    ['cpu-pod', 'Deployment', 'readinessProbe:', 'readinesProbe:', 'unknown field "spec.template.spec.containers[0].readinesProbe"'],
    ['cpu-pod', 'Deployment', /maxSurge: 1/, 'maxSurge: 0', 'spec.strategy.rollingUpdate.maxUnavailable'],
    ['cpu-pod', 'Service', /targetPort: http/, 'targetPort: a-port-name-that-is-too-long', 'spec.ports[0].targetPort'],
    ['autoscaled', 'ScaledObject', /maxReplicaCount: \d+/, 'maxReplicaCount: many', 'spec.maxReplicaCount'],
    ['autoscaled', 'ServiceMonitor', /interval: \S+/, 'interval: often', 'spec.endpoints[0].interval'],
    ['autoscaled', 'PrometheusRule', /for: \S+/, 'for: long', 'spec.groups[0].rules[0].for'],
    ['kserve', 'InferenceService', /minReplicas: \d+/, 'minReplicas: few', 'spec.predictor.minReplicas'],
    ['kserve', 'ServingRuntime', /containerPort: \d+/, 'containerPort: first', 'spec.containers[0].ports[0].containerPort'],
  ] as const;
  for (const [values, kind, what, wrong, expected] of cases) {
    const right = (await render(values)).find((each) => each.kind === kind);
    assert.ok(right !== undefined, `${values}.yaml has no ${kind}`);
    const yaml = right.yaml.replace(what, wrong);
    assert.notEqual(yaml, right.yaml, `${kind} has no ${what}`);
    const { status, body } = await cluster.api.create({ ...right, yaml }, 'refusals');
    assert.ok(status === 400 || status === 422, `${kind} with ${wrong}: ${status} ${JSON.stringify(body)}`);
    assert.ok(body.message.includes(expected), `${kind} with ${wrong}: ${body.message}`);
  }
  const root = { metadata: { name: 'root' }, spec: { containers: [{ name: 'root', image: 'registry.example/root' }] } };
  const { status, body } = await cluster.api.ask('POST', '/api/v1/namespaces/refusals/pods', root);
  assert.equal(status, 403);
  assert.match(body.message, /violates PodSecurity "restricted:latest"/);
}
