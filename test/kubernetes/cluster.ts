import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePorts, ownAddress } from '../e2e/free-port.ts';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import { makePair } from '../set-up/tls-files.ts';
import { until } from '../set-up/until.ts';
import { Api, type Answer } from './api.ts';
import { customResources } from './crds.ts';
import { Kubelets } from './kubelets.ts';
import type { Resource, Status } from './objects.ts';
import { tool, type Tool } from './tools.ts';

const run = promisify(execFile);
const TOKEN = 'only-on-loopback';

/** A namespace that admits no pod but one that keeps the restricted pod security standard. */
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

type Parts = 'api' | 'all';

export interface NodeOptions {
  /** Devices of NVIDIA. A node that has some takes no pod that needs none. */
  readonly gpus?: number;
  readonly zone?: string;
}

/**
 * A control plane on loopback: etcd, the API server, the controllers and the scheduler are the
 * real ones. `Kubelets` stand in for nodes: pods are objects there, and no container runs.
 */
export class Cluster {
  readonly #folder = folder();
  readonly #host = ownAddress();
  readonly #children: ChildProcess[] = [];
  readonly #kubeconfig = join(this.#folder, 'kubeconfig');
  #api: Api | undefined;
  #kubelets: Kubelets | undefined;

  /** @param parts `api`: the API server alone, so nothing acts on its objects */
  static async start(parts: Parts = 'all'): Promise<Cluster> {
    const cluster = new Cluster();
    try {
      const flags = await cluster.#startApi();
      if (parts === 'all') await cluster.#startControllers(flags);
    } catch (cause) {
      await cluster.stop();
      throw cause;
    }
    return cluster;
  }

  get api(): Api {
    if (this.#api === undefined) throw new Error('the cluster has not started');
    return this.#api;
  }

  /** Ends every process of the cluster. Its folder goes with the test file. */
  async stop(): Promise<void> {
    await this.#kubelets?.stop();
    this.#api?.close();
    const running = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const exits = running.map((child) => once(child, 'exit'));
    for (const child of running) child.kill('SIGKILL');
    await Promise.all(exits);
  }

  /** Runs helm. @returns what it prints */
  async helm(...args: readonly string[]): Promise<string> {
    // Nothing of the user's helm is read, and nothing is left in his folders.
    const env = { PATH: process.env['PATH'], HOME: this.#folder, KUBECONFIG: this.#kubeconfig };
    const { stdout } = await run(await tool('helm'), args, { env, timeout: 240_000, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  async namespace(name: string): Promise<void> {
    await this.api.call('POST', '/api/v1/namespaces', { metadata: { name, labels: RESTRICTED } });
    // The controllers make both. A pod that comes before its account is refused.
    for (const own of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'])
      await until(async () => (await this.api.ask('GET', `/api/v1/namespaces/${name}/${own}`)).status === 200);
  }

  /** Defines what KEDA, Prometheus' operator and KServe define. Nothing acts on it. */
  async defineCustomResources(): Promise<void> {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const texts = (await customResources()).map((file) => readFileSync(file, 'utf8'));
    for (const text of texts) await this.api.call('POST', definitions, text, 'application/yaml');
    const kinds = texts.map((text) => /^ {4}kind: (\S+)/m.exec(text)?.[1]);
    await until(async () => {
      const found = await this.api.kinds();
      return kinds.every((kind) => found.some((each) => each.kind === kind));
    });
  }

  async node(name: string, { gpus = 0, zone = 'one' }: NodeOptions = {}): Promise<void> {
    const capacity = { cpu: '32', memory: '256Gi', pods: '110', ...(gpus === 0 ? {} : { 'nvidia.com/gpu': String(gpus) }) };
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'topology.kubernetes.io/zone': zone };
    const taints = gpus === 0 ? [] : [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }];
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: new Date().toISOString() }];
    const status = { capacity, allocatable: capacity, conditions };
    await this.api.call('POST', '/api/v1/nodes', { metadata: { name, labels }, spec: { taints }, status });
  }

  /** Keeps new pods off a node, or no longer. */
  async cordon(name: string, unschedulable = true): Promise<void> {
    await this.api.patch(`/api/v1/nodes/${name}`, { spec: { unschedulable } });
  }

  /** Asks for the end of a pod, as a drain of its node does: a disruption budget may refuse it. */
  evict({ metadata: { name, namespace } }: Resource): Promise<Answer<Status>> {
    return this.api.ask('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
    });
  }

  /** @returns flags of the controllers that are secrets of this cluster */
  async #startApi(): Promise<readonly string[]> {
    const [etcd = 0, peers = 0, port = 0] = await freePorts(3, this.#host);
    const pair = makePair(this.#folder, 'kube-apiserver', { names: `IP:${this.#host}` });
    const accounts = makePair(this.#folder, 'service-accounts', { kind: 'rsa' }).key;
    const api = new Api({ host: this.#host, port, ca: readFileSync(pair.certificate, 'utf8'), token: TOKEN });
    this.#api = api;
    this.#writeFiles(port, pair.certificate);
    const storage = this.#spawn(
      'etcd',
      'etcd',
      etcdFlags(join(this.#folder, 'etcd-data'), `http://${this.#host}:${etcd}`, `http://${this.#host}:${peers}`),
    );
    const server = await this.#tool('kube-apiserver', [
      `--etcd-servers=http://${this.#host}:${etcd}`,
      `--bind-address=${this.#host}`,
      `--secure-port=${port}`,
      `--cert-dir=${this.#folder}`,
      `--tls-cert-file=${pair.certificate}`,
      `--tls-private-key-file=${pair.key}`,
      `--token-auth-file=${join(this.#folder, 'tokens.csv')}`,
      `--service-account-key-file=${accounts}`,
      `--service-account-signing-key-file=${accounts}`,
      ...API_SERVER_FLAGS,
    ]);
    await this.#healthy(api, storage, server);
    return [`--service-account-private-key-file=${accounts}`, `--root-ca-file=${pair.certificate}`];
  }

  async #startControllers(flags: readonly string[]): Promise<void> {
    const kubeconfig = `--kubeconfig=${this.#kubeconfig}`;
    await this.#tool('kube-controller-manager', [kubeconfig, ...flags, ...CONTROLLER_FLAGS]);
    await this.#tool('kube-scheduler', [kubeconfig, ...SCHEDULER_FLAGS]);
    this.#kubelets = new Kubelets(this.api);
  }

  #writeFiles(port: number, certificate: string): void {
    writeFileSync(join(this.#folder, 'tokens.csv'), `${TOKEN},tests,tests,system:masters\n`, { mode: 0o600 });
    const cluster = { server: `https://${this.#host}:${port}`, 'certificate-authority': certificate };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'tests', cluster }],
      users: [{ name: 'tests', user: { token: TOKEN } }],
      contexts: [{ name: 'tests', context: { cluster: 'tests', user: 'tests' } }],
      'current-context': 'tests',
    };
    writeFileSync(this.#kubeconfig, JSON.stringify(kubeconfig), { mode: 0o600 });
  }

  async #tool(name: Tool, flags: readonly string[]): Promise<ChildProcess> {
    return this.#spawn(name, await tool(name), flags);
  }

  #spawn(name: string, file: string, flags: readonly string[]): ChildProcess {
    const log = openSync(this.#log(name), 'w');
    const child = reaped(
      spawn(file, flags, { cwd: this.#folder, env: { PATH: process.env['PATH'], HOME: this.#folder }, stdio: ['ignore', log, log] }),
    );
    closeSync(log);
    // One that cannot be spawned has no exit; the API server is never healthy then.
    child.on('error', (cause) => writeFileSync(this.#log(name), cause.message));
    this.#children.push(child);
    return child;
  }

  #log(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  async #healthy(api: Api, ...needed: readonly ChildProcess[]): Promise<void> {
    await until(async () => {
      const ended = needed.find(({ pid, exitCode, signalCode }) => pid === undefined || exitCode !== null || signalCode !== null);
      if (ended !== undefined) throw new Error(`${ended.spawnfile} ended:\n${this.#logs()}`);
      return api.healthy();
    });
  }

  #logs(): string {
    return ['etcd', 'kube-apiserver'].map((name) => readFileSync(this.#log(name), 'utf8').slice(-4000)).join('\n');
  }
}

/** A cluster that ends with the test. */
export async function startCluster(t: TestContext, parts?: Parts): Promise<Cluster> {
  const cluster = await Cluster.start(parts);
  t.after(() => cluster.stop());
  return cluster;
}

function etcdFlags(data: string, client: string, peer: string): readonly string[] {
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ];
}

const API_SERVER_FLAGS = [
  '--authorization-mode=RBAC',
  '--service-account-issuer=https://kubernetes.default.svc',
  '--service-cluster-ip-range=10.0.0.0/16',
  // No pod asks it; its own address must not be that of loopback.
  '--endpoint-reconciler-type=none',
];

const CONTROLLER_FLAGS = [
  '--leader-elect=false',
  '--secure-port=0',
  '--horizontal-pod-autoscaler-sync-period=1s',
  // No kubelet reports that a node is alive.
  '--node-monitor-grace-period=24h',
];

const SCHEDULER_FLAGS = ['--leader-elect=false', '--secure-port=0'];
