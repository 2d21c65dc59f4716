import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../set-up/until.ts';
import { manifests } from './api.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { rolledOut, takesRequests, type Deployment, type Pod, type Resource } from './objects.ts';
import { PRESENT } from './previous.ts';

const NAMESPACE = 'rollouts';
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const NODES = ['cpu-1', 'cpu-2'];
const REPLICAS = 3;
const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));

test('real controllers and a real scheduler roll out, drain and scale what the chart installs', async (t) => {
  const cluster = await startCluster(t);
  for (const node of NODES) await cluster.node(node, { zone: node });
  await cluster.namespace(NAMESPACE);
  await install(cluster, '1');
  await t.test('the pods of a release become ready, on both nodes', () => spreads(cluster));
  await t.test('a rollout never has fewer ready pods than replicas, and one pod more at most', () => rollsOut(cluster));
  await t.test('a rollout that may lack a pod lacks one, so the count above is right', () => lacksOne(cluster));
  await t.test('a rollout whose pods find no place keeps every pod of before', () => keepsOldPods(cluster));
  await t.test('a disruption budget refuses the next eviction until another pod is ready', () => refusesEviction(cluster));
  await t.test('a drain of a node moves its pods one by one', () => drains(cluster));
  await t.test('one replica does not hold a drain', () => drainsOne(cluster));
  await t.test('replicas follow the scale, within the bounds of the HorizontalPodAutoscaler', () => scales(cluster));
  await t.test('the other manifests below deploy/ are taken, and Jobs complete', () => takesOthers(cluster));
});

/** Installs or upgrades the release; waits for nothing. */
async function install(cluster: Cluster, tag: string, ...settings: readonly string[]): Promise<void> {
  const all = [`image.tag=v${tag}`, `replicas=${REPLICAS}`, 'rollout.minReadySeconds=1', ...settings];
  const flags = all.flatMap((each) => ['--set', each]);
  await cluster.helm('upgrade', '--install', 'one', PRESENT.chart, '-n', NAMESPACE, '-f', PRESENT.values('cpu-pod'), ...flags);
}

const isNew = (tag: string) => (pod: Pod) => pod.spec.containers.every(({ image }) => image.endsWith(`:v${tag}`));

async function settled(cluster: Cluster): Promise<void> {
  await cluster.api.watch<Deployment>(DEPLOYMENTS, (items) => items.every(rolledOut));
  await cluster.api.watch<Pod>(PODS, (pods) => pods.every(takesRequests));
}

async function spreads(cluster: Cluster): Promise<void> {
  await settled(cluster);
  const pods = await cluster.api.pods(NAMESPACE);
  assert.equal(pods.length, REPLICAS);
  assert.deepEqual(new Set(pods.map(({ spec }) => spec.nodeName)), new Set(NODES));
}

/** Fewest pods that take requests, and most pods, from now until all are new and ready. */
async function counts(cluster: Cluster, tag: string): Promise<{ readonly fewestReady: number; readonly most: number }> {
  let [fewestReady, most] = [Infinity, 0];
  await cluster.api.watch<Pod>(PODS, (pods) => {
    fewestReady = Math.min(fewestReady, pods.filter(takesRequests).length);
    most = Math.max(most, pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length);
    return pods.length === REPLICAS && pods.every(isNew(tag)) && pods.every(takesRequests);
  });
  return { fewestReady, most };
}

async function rollsOut(cluster: Cluster): Promise<void> {
  const counted = counts(cluster, '2');
  await install(cluster, '2');
  assert.deepEqual(await counted, { fewestReady: REPLICAS, most: REPLICAS + 1 });
}

async function lacksOne(cluster: Cluster): Promise<void> {
  const counted = counts(cluster, '3');
  await install(cluster, '3', 'rollout.maxSurge=0', 'rollout.maxUnavailable=1');
  assert.deepEqual(await counted, { fewestReady: REPLICAS - 1, most: REPLICAS });
}

async function keepsOldPods(cluster: Cluster): Promise<void> {
  for (const node of NODES) await cluster.cordon(node);
  await install(cluster, '4');
  const placeless = ({ status }: Pod) =>
    status.conditions?.some(({ type, status: is }) => type === 'PodScheduled' && is === 'False') ?? false;
  await cluster.api.watch<Pod>(PODS, (pods) => {
    assert.equal(pods.filter(takesRequests).length, REPLICAS);
    return pods.filter(isNew('4')).some(placeless);
  });
  const counted = counts(cluster, '4');
  for (const node of NODES) await cluster.cordon(node, false);
  assert.equal((await counted).fewestReady, REPLICAS);
  await settled(cluster);
}

async function budgetAllows(cluster: Cluster): Promise<void> {
  type Budget = Resource & { readonly status: { readonly disruptionsAllowed: number } };
  const path = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`;
  await cluster.api.watch<Budget>(path, (items) => items.length === 1 && items.every(({ status }) => status.disruptionsAllowed === 1));
}

async function refusesEviction(cluster: Cluster): Promise<void> {
  await budgetAllows(cluster);
  const [first, second] = await cluster.api.pods(NAMESPACE);
  // Its successor finds no place, so the budget is used up until a node is free again.
  for (const node of NODES) await cluster.cordon(node);
  assert.equal((await cluster.evict(first!)).status, 201);
  const refused = await cluster.evict(second!);
  assert.equal(refused.status, 429, JSON.stringify(refused.body));
  assert.match(refused.body.message, /disruption budget/);
  for (const node of NODES) await cluster.cordon(node, false);
  await settled(cluster);
  await budgetAllows(cluster);
  assert.equal((await cluster.evict(second!)).status, 201);
  await settled(cluster);
}

/** What `kubectl drain` does: it asks again for what a budget refuses. */
async function drain(cluster: Cluster, node: string): Promise<number> {
  await cluster.cordon(node);
  let refusals = 0;
  await until(async () => {
    const left = (await cluster.api.pods(NAMESPACE)).filter(({ spec }) => spec.nodeName === node);
    for (const pod of left.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
      const { status, body } = await cluster.evict(pod);
      assert.ok([201, 404, 429].includes(status), JSON.stringify(body));
      if (status === 429) refusals++;
    }
    return left.length === 0;
  });
  return refusals;
}

async function drains(cluster: Cluster): Promise<void> {
  const [one = '', other = ''] = NODES;
  // All pods on one node, as after a time in which it was the only one.
  await drain(cluster, other);
  await settled(cluster);
  await cluster.cordon(other, false);
  let fewestReady = Infinity;
  const moved = cluster.api.watch<Pod>(PODS, (pods) => {
    fewestReady = Math.min(fewestReady, pods.filter(takesRequests).length);
    return pods.length === REPLICAS && pods.every((pod) => takesRequests(pod) && pod.spec.nodeName === other);
  });
  const refusals = await drain(cluster, one);
  await moved;
  assert.equal(fewestReady, REPLICAS - 1);
  assert.ok(refusals > 0);
  await cluster.cordon(one, false);
}

async function drainsOne(cluster: Cluster): Promise<void> {
  await install(cluster, '5', 'replicas=1');
  await settled(cluster);
  await budgetAllows(cluster);
  const [pod] = await cluster.api.pods(NAMESPACE);
  await drain(cluster, pod!.spec.nodeName!);
  await cluster.cordon(pod!.spec.nodeName!, false);
  await settled(cluster);
}

async function scales(cluster: Cluster): Promise<void> {
  await install(cluster, '6');
  await settled(cluster);
  const seen = new Set<number>();
  const switched = cluster.api.watch<Deployment>(DEPLOYMENTS, ([deployment]) => {
    seen.add(deployment!.spec.replicas);
    return deployment!.spec.replicas === 2;
  });
  await install(cluster, '6', 'autoscaling.mode=hpa', 'autoscaling.minReplicas=2', 'autoscaling.maxReplicas=4');
  const name = 'one-scoring-server';
  const reaches = (replicas: number): Promise<void> =>
    cluster.api.watch<Deployment>(DEPLOYMENTS, (items) => items.every((each) => each.spec.replicas === replicas && rolledOut(each)));
  const scale = (replicas: number) => cluster.api.patch(`${DEPLOYMENTS}/${name}/scale`, { spec: { replicas } });
  await switched;
  // As docs/kubernetes.md says: the number of the values goes, and Kubernetes sets 1 for a moment.
  assert.deepEqual([...seen], [REPLICAS, 1, 2]);
  await reaches(2);
  await scale(3);
  await reaches(3);
  // Without metrics the real autoscaler still keeps its bounds.
  await scale(9);
  await reaches(4);
  await scale(1);
  await reaches(2);
}

/** Manifests for Kubernetes below deploy/, but for the chart. */
async function takesOthers(cluster: Cluster): Promise<void> {
  const files = globSync('**/*.yaml', { cwd: DEPLOY }).filter((file) => !file.startsWith('helm/'));
  const found = files.flatMap((file) => manifests(readFileSync(join(DEPLOY, file), 'utf8')).map((manifest) => ({ file, manifest })));
  const ours = found.filter(({ manifest }) => manifest.apiVersion !== '');
  if (ours.some(({ manifest }) => manifest.apiVersion.startsWith('serving.kserve.io/'))) await cluster.defineCustomResources();
  assert.ok(ours.length > 0, `${DEPLOY} has no manifest of Kubernetes`);
  const claims = ours.flatMap(({ manifest }) => [...manifest.yaml.matchAll(/claimName: *([\w-]+)/g)].map(([, name = '']) => name));
  for (const name of new Set(claims)) await claim(cluster, name);
  for (const { file, manifest } of ours) {
    const { status, body } = await cluster.api.create(manifest, NAMESPACE);
    assert.equal(status, 201, `${file}: ${JSON.stringify(body)}`);
  }
  type Job = Resource & { readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } };
  const complete = ({ status }: Job): boolean =>
    status.conditions?.some(({ type, status: is }) => type === 'Complete' && is === 'True') ?? false;
  await cluster.api.watch<Job>(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, (jobs) => jobs.every(complete));
}

/** A volume of the user, and the claim that a manifest names. */
async function claim(cluster: Cluster, name: string): Promise<void> {
  const storage = { accessModes: ['ReadWriteMany'], storageClassName: '' };
  const volume = { ...storage, capacity: { storage: '1Gi' }, hostPath: { path: '/data' }, claimRef: { namespace: NAMESPACE, name } };
  await cluster.api.call('POST', '/api/v1/persistentvolumes', { metadata: { name }, spec: volume });
  const spec = { ...storage, resources: { requests: { storage: '1Gi' } }, volumeName: name };
  await cluster.api.call('POST', `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`, { metadata: { name }, spec });
}
