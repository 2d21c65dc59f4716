import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { options } from '../../server/config/config.ts';
import { flagOf } from '../../server/config/option-values.ts';
import { longestExit } from '../../server/host/drain.ts';
import { appRoutes } from '../../server/http/app.ts';
import { metricsRoutes } from '../../server/http/metrics-route.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { codeBlocksOf } from '../house/markdown.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config } from '../http/start.ts';
import { folder } from '../set-up/folder.ts';
import { configOf, containerOf, only, optionOf, podOf } from './pods.ts';
import { HELM, type Manifest, manifestsOf, type Rendering, render, renderText } from './render.ts';
import { KUBERNETES, SCHEMA_FILE, writeSchemas } from './schemas.ts';
import { tool } from './tools.ts';

const run = promisify(execFile);

const RIDGE = fileURLToPath(new URL('../../docker/examples/onnx/model.onnx', import.meta.url));

const files = readdirSync(join(HELM, 'values')).map((file) => file.replace('.yaml', ''));

/** Each value that changes what is rendered, beside those of the files. */
const variants: Readonly<Record<string, Rendering>> = {
  'the defaults': {},
  ...Object.fromEntries(files.map((file) => [`values/${file}.yaml`, { file }])),
  'an image by its digest': { set: [`image.digest=sha256:${'a'.repeat(64)}`, 'imagePullSecrets[0].name=registry'] },
  'names that YAML takes for something else': {
    namespace: 'no',
    set: [
      'nameOverride=on',
      'fullnameOverride=off',
      'priorityClassName=yes',
      'keys.existingSecret=on',
      'tls.existingSecret=yes',
      'serviceAccount.name=no',
      'gpu.enabled=true',
      'gpu.runtimeClassName=off',
      'model.from=pvc',
      'model.pvc.claimName=yes',
      'secretOptions.MDC_HTTP_URL.name=on',
      'secretOptions.MDC_HTTP_URL.key=off',
    ],
  },
  'names of its own': { set: ['nameOverride=model', 'fullnameOverride=the-model', 'commonLabels.team=a'] },
  'a model of a claim': { set: ['model.from=pvc', 'model.pvc.claimName=models'] },
  'a model of a ConfigMap': { set: ['model.from=configMap', 'model.configMap.name=ridge', 'model.mountPath=/ridge'] },
  'a model of an image': { set: ['model.from=ociImage', 'model.ociImage.reference=registry.example/models/ridge:1'] },
  'flags and options': { set: ['args[0]=--warm-up=off', 'options.WORKER_COUNT=auto', 'options.BODY_LIMIT_BYTES=104857600'] },
  'options with fractions': { set: ['options.OTEL_TRACES_SAMPLER_ARG=0.25', 'options.RATE_LIMIT_PER_SECOND=0.5'] },
  'options from Secrets': {
    set: ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'MDC_HTTP_URL'].flatMap((name) => [
      `secretOptions.${name}.name=scoring`,
      `secretOptions.${name}.key=${name}`,
    ]),
  },
  'variables of scripts': {
    set: ['extraEnv[0].name=THRESHOLD', 'extraEnv[0].value=high', 'extraEnvFrom[0].configMapRef.name=script'],
  },
  'streams that last': { set: ['drain.requestsSeconds=120'] },
  'a long deadline and a long delivery': { set: ['options.SCORING_TIMEOUT_MS=300000', 'options.MDC_FLUSH_TIMEOUT_MS=45500'] },
  'no preStop': { set: ['drain.endpointsSeconds=0', 'drain.delaySeconds=12', 'drain.reserveSeconds=1'] },
  'a short start': { set: ['options.INIT_TIMEOUT_MS=1000', 'probes.startup.periodSeconds=7'] },
  'an IPv6 cluster': { set: ['service.ipFamilies[0]=IPv6', 'service.ipFamilyPolicy=SingleStack'] },
  'two families': { set: ['service.ipFamilyPolicy=PreferDualStack', 'grpc.enabled=true'] },
  'gRPC behind a mesh': { set: ['grpc.enabled=true', 'grpc.service.headless=false', 'grpc.port=9000'] },
  'metrics on the main port': {
    set: ['metrics.port=0', 'metrics.serviceMonitor.enabled=true', 'autoscaling.mode=keda', 'autoscaling.keda.serverAddress=http://p:9090'],
  },
  'metrics with a key, over TLS': {
    set: [
      'metrics.serviceMonitor.enabled=true',
      'metrics.serviceMonitor.labels.release=prometheus',
      'metrics.serviceMonitor.keySecret.name=scrape',
      'metrics.serviceMonitor.keySecret.key=key',
      'metrics.serviceMonitor.tlsConfig.insecureSkipVerify=true',
      'metrics.serviceMonitor.tlsConfig.cert.secret.name=prometheus',
      'metrics.serviceMonitor.tlsConfig.cert.secret.key=tls.crt',
      'options.METRICS_KEY_REQUIRED=true',
      'keys.existingSecret=scoring-keys',
      'tls.existingSecret=scoring-tls',
      'tls.clientCa=true',
    ],
  },
  'scaling on the CPU': { set: ['autoscaling.mode=hpa'] },
  'scaling on another metric': {
    set: [
      'autoscaling.mode=hpa',
      'autoscaling.hpa.metrics[0].type=Pods',
      'autoscaling.hpa.metrics[0].pods.metric.name=scoring_requests_in_flight',
      'autoscaling.hpa.metrics[0].pods.target.type=AverageValue',
      'autoscaling.hpa.metrics[0].pods.target.averageValue=20',
    ],
  },
  'scaling by a query of its own': {
    set: [
      'autoscaling.mode=keda',
      'autoscaling.keda.serverAddress=https://prometheus',
      'autoscaling.keda.query=sum(scoring_requests_in_flight)',
      'autoscaling.keda.threshold=20',
      'autoscaling.keda.authentication=prometheus',
      'autoscaling.keda.fallbackReplicas=4',
    ],
  },
  'a closed network': {
    set: [
      'networkPolicy.restrictEgress=true',
      'networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8',
      'networkPolicy.clients[0].podSelector.matchLabels.app=gateway',
    ],
  },
  'no policies': { set: ['networkPolicy.enabled=false', 'podDisruptionBudget.enabled=false', 'serviceAccount.create=false'] },
  'workload identity': { set: ['workloadIdentity.enabled=true', 'workloadIdentity.clientId=00000000-0000-0000-0000-000000000000'] },
  'a spool': { set: ['spool.enabled=true', 'spool.sizeLimit=5Gi', 'tmp.medium=Memory'] },
  'two GPUs and no device to spare': { set: ['gpu.enabled=true', 'gpu.count=2', 'gpu.provider=tensorrt', 'gpu.runtimeClassName=nvidia'] },
  'a place of its own': {
    set: [
      'nodeSelector.pool=models',
      'tolerations[0].operator=Exists',
      'priorityClassName=high',
      'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight=1',
      'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key=gpu',
      'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator=Exists',
      'podAnnotations.a=b',
      'podLabels.c=d',
      'annotations.e=f',
      'service.annotations.g=h',
    ],
  },
  'a volume of its own': {
    set: [
      'extraVolumes[0].name=cache',
      'extraVolumes[0].emptyDir.sizeLimit=1Gi',
      'extraVolumeMounts[0].name=cache',
      'extraVolumeMounts[0].mountPath=/cache',
    ],
  },
  'a runtime for the cluster': { file: 'kserve', set: ['kserve.runtime.cluster=true', 'kserve.inferenceService.create=true'] },
  'KServe with Knative': {
    file: 'kserve',
    set: ['kserve.deploymentMode=Knative', 'kserve.scaleMetric=concurrency', 'kserve.scaleTarget=20', 'kserve.minReplicas=0'],
  },
  'KServe on a GPU': { file: 'kserve', set: ['gpu.enabled=true', 'spool.enabled=true'] },
};

const rendered = new Map<string, Manifest[]>();

before(async () => {
  for (const [name, rendering] of Object.entries(variants)) rendered.set(name, await render(rendering));
});

for (const module of KUBERNETES) {
  test(`every variant is valid in Kubernetes ${module.version}, without a field that it does not know`, async () => {
    const [schemas, manifests] = [folder(), folder()];
    await writeSchemas(module, schemas);
    for (const [index, rendering] of Object.values(variants).entries()) {
      const text = await renderText({ ...rendering, kubernetes: module.version.slice(1) });
      writeFileSync(join(manifests, `${index}.yaml`), text);
    }
    const { stdout } = await conform(schemas, manifests);
    assert.match(stdout, new RegExp(`in ${Object.keys(variants).length} files - Valid: \\d{3}, Invalid: 0, Errors: 0, Skipped: 0`));
  });
}

test('the check of fields finds a wrong name, a wrong type and a missing field, in Kubernetes and in custom resources', async () => {
  const schemas = folder();
  await writeSchemas(KUBERNETES[0]!, schemas);
  const text = await renderText({ file: 'autoscaled' });
  const broken: readonly [from: string, to: string, message: RegExp][] = [
    ['enableServiceLinks', 'enableServiceLink', /enableServiceLink/],
    ['minReadySeconds: 5', 'minReadySeconds: five', /minReadySeconds/],
    ['targetPort: http', 'targetPorts: http', /targetPorts/],
    ['maxReplicaCount: 20', 'maxReplicaCount: many', /maxReplicaCount/],
    ['scrapeTimeout:', 'scrapeTimeouts:', /scrapeTimeouts/],
    ['triggers:', 'trigger:', /trigger/],
  ];
  for (const [from, to, message] of broken) {
    assert.ok(text.includes(from), from);
    const manifests = folder();
    writeFileSync(join(manifests, 'broken.yaml'), text.replace(from, to));
    await assert.rejects(conform(schemas, manifests), ({ stdout }: { stdout: string }) => message.test(stdout), to);
  }
});

function conform(schemas: string, manifests: string): Promise<{ stdout: string }> {
  return tool('kubeconform').then((file) =>
    run(file, ['-strict', '-summary', '-schema-location', join(schemas, SCHEMA_FILE), manifests], { maxBuffer: 2 ** 24 }),
  );
}

test('each probe asks a route that is open to everybody, on a port that is open', () => {
  for (const [name, manifests] of rendered) {
    const container = containerOf(podOf(manifests));
    const settings = configOf(container);
    const parts = { config: settings, scorer: new FakeScorer(), lifecycle: new Lifecycle(), swaggerFiles: '/' };
    const open = appRoutes(parts).filter(({ access }) => access === 'open');
    const { startupProbe, readinessProbe, livenessProbe } = container;
    assert.deepEqual(
      [startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path),
      ['/health/ready', '/health/ready', '/health/live'],
    );
    for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe]) {
      assert.ok(
        open.some(({ path }) => path === httpGet.path),
        `${name}: ${httpGet.path}`,
      );
      // With TLS, only the plain port answers a probe that has no certificate.
      const expected = settings.tlsCertFile === '' ? settings.port : settings.healthPort;
      assert.equal(portOf(container.ports, httpGet.port), expected, name);
    }
  }
});

function portOf(ports: readonly { readonly name: string; readonly containerPort: number }[], wanted: string | number): number | undefined {
  return typeof wanted === 'number' ? wanted : ports.find(({ name }) => name === wanted)?.containerPort;
}

test('each port of a container is one that the server opens, and Services and policies name them', () => {
  for (const [name, manifests] of rendered) {
    const { ports, ...container } = containerOf(podOf(manifests));
    const { port, metricsPort, grpcPort, healthPort, tlsCertFile } = configOf({ ...container, ports });
    const expected = [port, metricsPort, grpcPort, tlsCertFile === '' ? 0 : healthPort].filter((each) => each !== 0);
    assert.deepEqual(
      ports.map(({ containerPort }) => containerPort),
      expected,
      name,
    );
    const names = new Set(ports.map((each) => each.name));
    const asked = JSON.stringify(manifests.filter(({ kind }) => kind === 'Service' || kind === 'NetworkPolicy'));
    for (const [, target = ''] of asked.matchAll(/"(?:targetPort|port)":"(\w+)"/g)) assert.ok(names.has(target), `${name}: ${target}`);
  }
});

test('each variable of the server is an option with a value that it takes, and each flag is one of its flags', () => {
  const flags = new Set(Object.values(options).map((row) => flagOf(row)));
  for (const [name, manifests] of rendered) {
    const { env, args = [] } = containerOf(podOf(manifests));
    assert.equal(new Set(env.map((each) => each.name)).size, env.length, name);
    for (const { name: variable, value, valueFrom } of env) {
      if (variable === 'THRESHOLD') continue;
      const row = optionOf(variable);
      assert.ok(row !== undefined, `${name}: ${variable}`);
      assert.equal(row.secret === true, valueFrom?.secretKeyRef !== undefined, variable);
      if (value !== undefined) row.parse(value);
    }
    for (const arg of args) assert.ok(flags.has(/^--([\w-]+)/.exec(arg)?.[1]), `${name}: ${arg}`);
  }
});

test('the server reads the variables and flags of every variant without a contradiction', () => {
  for (const manifests of rendered.values()) configOf(containerOf(podOf(manifests)));
  const { env } = containerOf(podOf(rendered.get('flags and options')!));
  assert.equal(env.find(({ name }) => name === 'BODY_LIMIT_BYTES')?.value, '104857600');
});

test('the grace period is longer than preStop and the longest exit, and the drain than the delay and the deadline', () => {
  for (const [name, manifests] of rendered) {
    const pod = podOf(manifests);
    const container = containerOf(pod);
    const settings = configOf(container);
    const preStopMs = (container.lifecycle?.preStop.sleep.seconds ?? 0) * 1000;
    const exitMs = longestExit({ config: settings, collectorMs: settings.mdcFlushTimeoutMs });
    const graceMs = pod.terminationGracePeriodSeconds * 1000;
    assert.ok(graceMs > preStopMs + exitMs, `${name}: ${graceMs} > ${preStopMs} + ${exitMs}`);
    // Not much longer: the node waits for it where a container hangs.
    assert.ok(graceMs <= preStopMs + exitMs + 6000, `${name}: ${graceMs}`);
    const requestsMs = name === 'streams that last' ? 120_000 : settings.scoringTimeoutMs;
    assert.equal(settings.drainTimeoutMs, settings.drainDelayMs + requestsMs + 5000, name);
  }
});

test('a start may take two limits of init() before a pod is restarted, and a rollout waits for that', () => {
  for (const [name, manifests] of rendered) {
    const pod = podOf(manifests);
    const container = containerOf(pod);
    const { periodSeconds, failureThreshold } = container.startupProbe;
    const startSeconds = periodSeconds * failureThreshold;
    const { initTimeoutMs } = configOf(container);
    assert.ok(startSeconds * 1000 >= 2 * initTimeoutMs + 60_000, `${name}: ${startSeconds} s`);
    assert.ok(startSeconds * 1000 < 2 * initTimeoutMs + 60_000 + periodSeconds * 1000, `${name}: ${startSeconds} s`);
    const deployment = manifests.find(({ kind }) => kind === 'Deployment')?.['spec'] as { progressDeadlineSeconds: number } | undefined;
    if (deployment !== undefined) assert.ok(deployment.progressDeadlineSeconds > (2 * initTimeoutMs) / 1000 + 60, name);
  }
});

test('every pod keeps the restricted standard of pod security, a read-only root, and no links of Services', () => {
  for (const [name, manifests] of rendered) {
    const pod = podOf(manifests);
    const { securityContext, volumeMounts } = containerOf(pod);
    assert.deepEqual(
      securityContext,
      {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        privileged: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      name,
    );
    assert.equal(pod.securityContext['runAsNonRoot'], true, name);
    assert.ok(Number(pod.securityContext['runAsUser']) > 0, name);
    assert.deepEqual(pod.securityContext['seccompProfile'], { type: 'RuntimeDefault' });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC', 'initContainers']) assert.ok(!(field in pod), `${name}: ${field}`);
    for (const { name: volume, ...source } of pod.volumes) {
      const [kind = ''] = Object.keys(source);
      assert.ok(['emptyDir', 'secret', 'configMap', 'persistentVolumeClaim', 'image'].includes(kind), `${name}: ${volume}`);
      if (kind === 'emptyDir') assert.ok('sizeLimit' in (source[kind] as object), `${name}: ${volume}`);
      const mount = volumeMounts.find((each) => each.name === volume);
      assert.ok(mount !== undefined, `${name}: ${volume} is mounted`);
      if (kind !== 'emptyDir') assert.equal(mount.readOnly, true, `${name}: ${volume}`);
    }
    assert.equal(pod.enableServiceLinks, false);
    assert.equal(pod.automountServiceAccountToken, name === 'workload identity');
  }
});

test('each file that the server reads lies in a volume', () => {
  for (const [name, manifests] of rendered) {
    const container = containerOf(podOf(manifests));
    const { scoringKeysFile, tlsCertFile, tlsKeyFile, tlsClientCaFile, mdcSpillDir, modelDir } = configOf(container);
    const inProfile = manifests.some(({ kind }) => kind === 'InferenceService');
    for (const path of [scoringKeysFile, tlsCertFile, tlsKeyFile, tlsClientCaFile, mdcSpillDir, inProfile ? '' : modelDir]) {
      if (path === '') continue;
      const mount = container.volumeMounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
      assert.ok(mount !== undefined, `${name}: ${path}`);
    }
  }
});

const SELECTOR = { 'app.kubernetes.io/name': 'scoring-server', 'app.kubernetes.io/instance': 'demo' };

test('the selector never changes, whatever an upgrade changes, and all that select a pod select it', () => {
  for (const [name, manifests] of rendered) {
    if (name.startsWith('names ') || manifests.every(({ kind }) => kind !== 'Deployment')) continue;
    const { selector } = only(manifests, 'Deployment')['spec'] as { selector: object };
    assert.deepEqual(selector, { matchLabels: SELECTOR }, name);
    const { labels } = podOf(manifests);
    for (const { kind, ...fields } of manifests) {
      const spec = fields['spec'] as Readonly<Record<string, unknown>> | undefined;
      if (kind === 'Service') assert.deepEqual(spec?.['selector'], SELECTOR, name);
      if (kind === 'PodDisruptionBudget') assert.deepEqual(spec?.['selector'], { matchLabels: SELECTOR });
      if (kind === 'NetworkPolicy') assert.deepEqual(spec?.['podSelector'], { matchLabels: SELECTOR });
    }
    for (const [label, value] of Object.entries(SELECTOR)) assert.equal(labels[label], value);
  }
});

test('every object has the recommended labels, the namespace of the release and a short name', () => {
  for (const [name, manifests] of rendered)
    for (const { kind, metadata } of manifests) {
      for (const label of ['name', 'instance', 'version', 'managed-by']) assert.ok(metadata.labels[`app.kubernetes.io/${label}`], name);
      if (kind !== 'ClusterServingRuntime') assert.equal(metadata.namespace, variants[name]?.namespace ?? 'models', `${name}: ${kind}`);
    }
});

test('a long name of a release leaves room for what Kubernetes appends', async () => {
  const values = ['--values', `${HELM}values/autoscaled.yaml`];
  const args = ['template', 'r'.repeat(53), `${HELM}scoring-server`, '--kube-version', '1.34.3', ...values];
  const { stdout } = await run(await tool('helm'), args);
  const names = Array.from(stdout.matchAll(/^ {2}name: "?([^\s"]+)/gm), ([, name = '']) => name);
  assert.ok(names.length > 5);
  for (const name of names) assert.match(name, /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
});

test('a rollout takes no pod away before another is ready, except on GPUs, and a budget keeps all but one', () => {
  const strategy = (name: string): unknown => (only(rendered.get(name)!, 'Deployment')['spec'] as { strategy: object }).strategy;
  assert.deepEqual(strategy('the defaults'), { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  assert.deepEqual(strategy('values/gpu.yaml'), { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
  const budget = only(rendered.get('values/cpu-pod.yaml')!, 'PodDisruptionBudget')['spec'] as { maxUnavailable: number };
  // One replica must not hold a node that is drained.
  assert.equal(budget.maxUnavailable, 1);
});

test('a GPU is requested and limited alike, the models run on it, and workers are one a device', () => {
  const { env, resources } = containerOf(podOf(rendered.get('two GPUs and no device to spare')!));
  for (const { 'nvidia.com/gpu': devices } of [resources.limits, resources.requests]) assert.equal(devices, '2');
  assert.equal(env.find(({ name }) => name === 'EXECUTION_PROVIDER')?.value, 'tensorrt');
  assert.ok(env.every(({ name }) => name !== 'WORKER_COUNT'));
});

test('an autoscaler owns the number of replicas, and only one does', () => {
  for (const [name, manifests] of rendered) {
    const deployment = manifests.find(({ kind }) => kind === 'Deployment');
    if (deployment === undefined) continue;
    const scalers = manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject');
    assert.ok(scalers.length <= 1, name);
    assert.equal('replicas' in (deployment['spec'] as object), scalers.length === 0, name);
    for (const { spec } of scalers as unknown as { spec: { scaleTargetRef: object } }[])
      assert.deepEqual(spec.scaleTargetRef, { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name });
  }
});

interface ScaledObject {
  readonly triggers: readonly { readonly metadata: Readonly<Record<string, string>> }[];
}

const triggerIn = (manifests: readonly Manifest[]): Readonly<Record<string, string>> =>
  (only(manifests, 'ScaledObject')['spec'] as ScaledObject).triggers[0]!.metadata;
const triggerOf = (name: string): Readonly<Record<string, string>> => triggerIn(rendered.get(name)!);

test('KEDA asks for metrics that the server has, of the Service that Prometheus scrapes', async () => {
  const known = new Set((await new Metrics().registry.getMetricsAsJSON()).map(({ name }) => name));
  for (const [name, service] of [
    ['values/autoscaled.yaml', 'demo-scoring-server-metrics'],
    ['metrics on the main port', 'demo-scoring-server'],
  ] as const) {
    const { query = '', threshold } = triggerOf(name);
    const asked = Array.from(query.matchAll(/\bscoring_\w+/g), ([metric]) => metric);
    assert.deepEqual(asked, ['scoring_requests_in_flight', 'scoring_requests_queued', 'scoring_concurrency_limit']);
    for (const metric of asked) assert.ok(known.has(metric), metric);
    assert.equal(query.match(/\{namespace="models",service="([\w-]+)"\}/)?.[1], service);
    assert.ok(rendered.get(name)!.some(({ kind, metadata }) => kind === 'Service' && metadata.name === service));
    assert.equal(threshold, '0.7');
  }
  assert.equal(triggerOf('scaling by a query of its own')['threshold'], '20');
});

test('Prometheus scrapes one Service of the release, on a port that it has, by a route of the server', () => {
  for (const name of ['values/autoscaled.yaml', 'metrics on the main port', 'metrics with a key, over TLS']) {
    const manifests = rendered.get(name)!;
    const { selector, endpoints } = only(manifests, 'ServiceMonitor')['spec'] as {
      selector: { matchLabels: Record<string, string>; matchExpressions?: { key: string; operator: string }[] };
      endpoints: { port: string; path: string; scheme?: string }[];
    };
    const services = manifests.filter(
      ({ kind, metadata }) =>
        kind === 'Service' &&
        Object.entries(selector.matchLabels).every(([label, value]) => metadata.labels[label] === value) &&
        (selector.matchExpressions ?? []).every(({ key }) => metadata.labels[key] === undefined),
    );
    assert.equal(services.length, 1, name);
    const { ports } = services[0]!['spec'] as { ports: { name: string }[] };
    const [{ port, path, scheme } = { port: '', path: '' }] = endpoints;
    assert.ok(
      ports.some((each) => each.name === port),
      `${name}: ${port}`,
    );
    assert.ok(metricsRoutes(config({}), new Metrics()).some((route) => route.path === path));
    assert.equal(scheme === 'https', configOf(containerOf(podOf(manifests))).tlsCertFile !== '', name);
  }
});

test('the alerts are those of deploy/prometheus, each with the address of its page', async () => {
  const file = new URL('../../deploy/prometheus/alerts.yaml', import.meta.url);
  const rules = readFileSync(file, 'utf8');
  assert.deepEqual(only(rendered.get('values/autoscaled.yaml')!, 'PrometheusRule')['spec'], parse(rules));
  const base = 'https://example.invalid/copy/';
  const moved = await render({ set: ['prometheusRule.enabled=true', `prometheusRule.runbookBase=${base}`] });
  assert.deepEqual(only(moved, 'PrometheusRule')['spec'], parse(rules.replaceAll('runbook_url: ', `runbook_url: ${base}`)));
});

test('the values of the page work, and its times are those that the chart computes', async () => {
  const page = readFileSync(new URL('../../docs/kubernetes.md', import.meta.url), 'utf8');
  const values = codeBlocksOf(page).filter(({ language }) => language === 'yaml');
  assert.equal(values.length, 2);
  const written = folder();
  const given = values.flatMap(({ text }, index) => {
    writeFileSync(join(written, `${index}.yaml`), text);
    return ['--values', join(written, `${index}.yaml`)];
  });
  const manifests = manifestsOf(await renderText({}, ...given));
  assert.equal(triggerIn(manifests)['threshold'], '0.7');
  const pod = podOf(manifests);
  const { drainDelayMs, drainTimeoutMs, mdcFlushTimeoutMs } = configOf(containerOf(pod));
  const sleeps = containerOf(pod).lifecycle!.preStop.sleep.seconds;
  const exits = sleeps + longestExit({ config: { drainDelayMs, drainTimeoutMs }, collectorMs: mdcFlushTimeoutMs }) / 1000;
  const seconds = Array.from(page.matchAll(/^\| (\d+) \| /gm), ([, second]) => Number(second));
  assert.deepEqual(seconds, [0, sleeps, sleeps + drainDelayMs / 1000, exits, pod.terminationGracePeriodSeconds]);
  assert.ok(page.includes(`by second ${sleeps + drainTimeoutMs / 1000}`));
  const { terminationGracePeriodSeconds } = podOf(rendered.get('the defaults')!);
  assert.ok(page.includes(`makes the grace period ${terminationGracePeriodSeconds} s`));
});

const wrong: readonly [set: string, message: RegExp][] = [
  ['replica=3', /additional properties 'replica' not allowed/],
  ['replicas=three', /'\/replicas': got string, want integer/],
  ['image.digest=latest', /'\/image\/digest': 'latest' does not match pattern/],
  ['options.SCORING_TIMEOUT=5', /'\/options': additional properties 'SCORING_TIMEOUT' not allowed/],
  ['options.SCORING_TIMEOUT_MS=10s', /'\/options\/SCORING_TIMEOUT_MS': got string, want integer/],
  ['options.ACCESS_LOG=1', /'\/options\/ACCESS_LOG': got number, want boolean/],
  ['options.PORT=8080', /additional properties 'PORT' not allowed/],
  ['options.DRAIN_TIMEOUT_MS=1', /additional properties 'DRAIN_TIMEOUT_MS' not allowed/],
  ['options.MDC_BLOB_CONNECTION_STRING=secret', /additional properties 'MDC_BLOB_CONNECTION_STRING' not allowed/],
  ['secretOptions.MDC_HTTP_URL.name=a', /'\/secretOptions\/MDC_HTTP_URL': missing property 'key'/],
  ['options.SCORING_TIMEOUT_MS=0', /'\/options\/SCORING_TIMEOUT_MS': minimum: got 0, want 1/],
  ['model.from=s3', /'\/model\/from': value must be one of/],
  ['model.from=pvc', /'\/model\/pvc\/claimName'/],
  ['model.from=ociImage', /'\/model\/ociImage\/reference'/],
  ['port=0', /'\/port': minimum/],
  ['metrics.port=5001', /port and metrics\.port are both 5001/],
  ['rollout.maxSurge=0', /rollout: expected maxSurge or maxUnavailable above 0/],
  ['autoscaling.mode=keda', /'\/autoscaling\/keda\/serverAddress'/],
  ['autoscaling.mode=vpa', /'\/autoscaling\/mode'/],
  ['autoscaling.mode=hpa,autoscaling.minReplicas=11', /expected minReplicas of at most maxReplicas, got 11 and 10/],
  ['autoscaling.mode=hpa,resources=null', /mode hpa: expected resources\.requests\.cpu/],
  ['tls.clientCa=true', /expected tls\.existingSecret/],
  ['args[0]=--port=9000', /args: --port is set by another value/],
  ['args[0]=--http_port=9000', /args: --http-port is set by another value/],
  ['args[0]=--scoring-timeout-ms=600000', /args: --scoring-timeout-ms is set .* its times follow/],
  ['gpu.enabled=true,args[0]=--execution-provider=cpu', /args: --execution-provider is set/],
  ['extraEnv[0].name=SCORING_TIMEOUT_MS', /extraEnv: SCORING_TIMEOUT_MS is set .* its times follow/],
  ['extraEnv[0].name=WORKER_TIMEOUT', /extraEnv: WORKER_TIMEOUT is set/],
  ['fullnameOverride=1model', /fullnameOverride: expected a name that Services may have/],
  ['fullnameOverride=my.model', /fullnameOverride: expected a name that Services may have/],
  ['podLabels.app\\.kubernetes\\.io/name=a', /podLabels: app\.kubernetes\.io\/name is set by the chart/],
  ['commonLabels.helm\\.sh/chart=a', /commonLabels: helm\.sh\/chart is set by the chart/],
  ['spool.enabled=true,spool.mountPath=/tmp', /tmp and spool are both mounted at \/tmp/],
  ['metrics.serviceMonitor.enabled=true,tls.existingSecret=a', /tlsConfig: expected ca and serverName/],
  [
    'metrics.serviceMonitor.enabled=true,tls.existingSecret=a,tls.clientCa=true,metrics.serviceMonitor.tlsConfig.serverName=a',
    /tlsConfig: expected cert and keySecret/,
  ],
  ['metrics.serviceMonitor.enabled=true,options.METRICS_KEY_REQUIRED=true', /keySecret: expected a key/],
  ['mode=kserve,autoscaling.mode=hpa', /mode kserve: expected neither autoscaling\.mode nor/],
  ['mode=kserve,kserve.minReplicas=5', /kserve: expected minReplicas of at most maxReplicas, got 5 and 4/],
  ['resources.limits.memory=1K', /'\/resources\/limits\/memory'/],
  ['image.repository=my-model:1', /'\/image\/repository': 'my-model:1' does not match pattern/],
  ['mode=null', /missing property 'mode'/],
  ['image.repository=null', /'\/image': missing property 'repository'/],
  ['drain=null', /missing property 'drain'/],
  ['probes.startup.periodSeconds=null', /'\/probes\/startup': missing property 'periodSeconds'/],
  ['extraEnv[0].name=PORT', /extraEnv: PORT is set by another value/],
  ['model.from=configMap,model.configMap.name=a,options.AZUREML_MODEL_DIR=/b', /options: AZUREML_MODEL_DIR is computed/],
  ['workloadIdentity.enabled=true', /'\/workloadIdentity\/clientId'/],
  ['podSecurity.runAsUser=0', /'\/podSecurity\/runAsUser': minimum/],
  ['resources.limits.memory=2GB', /'\/resources\/limits\/memory'/],
  ['drain.reserveSeconds=0', /'\/drain\/reserveSeconds': minimum/],
  ['mode=kserve,grpc.enabled=true', /mode kserve: expected neither tls, grpc nor model\.from/],
  ['gpu.provider=rocm', /'\/gpu\/provider'/],
];

for (const [set, message] of wrong) {
  test(`helm refuses ${set}`, async () => {
    await assert.rejects(render({ set: [set] }), message);
  });
}

test('a user beyond a million, as OpenShift gives, stays a number', async () => {
  const values = join(folder(), 'values.yaml');
  writeFileSync(values, 'podSecurity: { runAsUser: 1000740000, runAsGroup: 1000740000, fsGroup: 1000740000 }\n');
  const text = await renderText({}, '--values', values);
  assert.deepEqual(
    Array.from(text.matchAll(/^ +(?:runAsUser|runAsGroup|fsGroup): (\S+)$/gm), ([, id]) => id),
    Array.from({ length: 3 }, () => '1000740000'),
  );
});

test('a value that is null is the same as an empty one', async () => {
  const nothing = [
    'tls.existingSecret',
    'keys.existingSecret',
    'host',
    'image.tag',
    'commonLabels',
    'podLabels',
    'args',
    'extraEnv',
    'nameOverride',
  ];
  assert.equal(await renderText({ set: nothing.map((name) => `${name}=null`) }), await renderText({}));
});

test('a GPU needs no limits of other resources', async () => {
  const { resources } = containerOf(podOf(await render({ set: ['gpu.enabled=true', 'resources=null'] })));
  assert.deepEqual(resources, { limits: { 'nvidia.com/gpu': '1' }, requests: { 'nvidia.com/gpu': '1' } });
});

test('without a port of its own, metrics are open to scrapers where clients are listed', async () => {
  const set = [
    'metrics.port=0',
    'networkPolicy.clients[0].podSelector.matchLabels.a=b',
    'networkPolicy.scrapers[0].ipBlock.cidr=10.0.0.0/8',
  ];
  const { ingress } = only(await render({ set }), 'NetworkPolicy')['spec'] as { ingress: { from: object[] }[] };
  assert.deepEqual(
    ingress.map(({ from }) => from),
    [[{ podSelector: { matchLabels: { a: 'b' } } }, { ipBlock: { cidr: '10.0.0.0/8' } }]],
  );
});

test('KServe gives pods the labels, the runtime class and the spread of the values', async () => {
  const set = [
    'workloadIdentity.enabled=true',
    'workloadIdentity.clientId=a',
    'podLabels.c=d',
    'podAnnotations.e=f',
    'gpu.enabled=true',
    'gpu.runtimeClassName=nvidia',
    'topologySpreadConstraints[0].maxSkew=1',
  ];
  const { predictor } = only(await render({ file: 'kserve', set }), 'InferenceService')['spec'] as { predictor: Record<string, unknown> };
  const labels = predictor['labels'] as Record<string, string>;
  assert.deepEqual([labels['azure.workload.identity/use'], labels['c']], ['true', 'd']);
  assert.deepEqual(predictor['annotations'], { e: 'f' });
  assert.equal(predictor['runtimeClassName'], 'nvidia');
  assert.deepEqual(predictor['topologySpreadConstraints'], [{ maxSkew: 1 }]);
});

test('an older cluster is refused', async () => {
  await assert.rejects(render({ kubernetes: '1.30.0' }), /requires kubeVersion: >=1\.31/);
});

test('the chart has no warning of helm lint, and its package holds what it renders from', async () => {
  const helm = await tool('helm');
  const { stdout } = await run(helm, ['lint', '--strict', '--kube-version', '1.34.3', `${HELM}scoring-server`]);
  assert.match(stdout, /1 chart\(s\) linted, 0 chart\(s\) failed/);
  const out = folder();
  await run(helm, ['package', `${HELM}scoring-server`, '--destination', out]);
  const { stdout: listed } = await run('tar', ['tzf', join(out, 'scoring-server-0.1.0.tgz')]);
  assert.ok(listed.includes('scoring-server/files/alerts.yaml'));
  assert.ok(listed.includes('scoring-server/values.schema.json'));
});

test('the curl lines of the notes work', async () => {
  const notes = await notesOf([]);
  const lines = Array.from(notes.matchAll(/^ *(curl .+)$/gm), ([, line = '']) => line);
  assert.equal(lines.length, 2);
  const application = folder();
  const score = async (server: ServerProcess): Promise<void> => {
    const address = await (await server.ready()).url();
    for (const line of lines) {
      const command = line.replace('http://localhost:8080', address).replace('curl ', 'curl --silent --show-error --fail-with-body ');
      const { stdout } = await run('sh', ['-c', command]);
      assert.doesNotThrow(() => JSON.parse(stdout), stdout);
    }
  };
  await withServer([], score, { cwd: application });
});

test('a model of a ConfigMap is found behind the links that a node makes, with the variables of the chart', async () => {
  const mounted = folder();
  mkdirSync(join(mounted, '..2026_11_30'));
  cpSync(RIDGE, join(mounted, '..2026_11_30', 'ridge.onnx'));
  symlinkSync('..2026_11_30', join(mounted, '..data'));
  symlinkSync('..data/ridge.onnx', join(mounted, 'ridge.onnx'));
  const { env } = containerOf(podOf(rendered.get('a model of a ConfigMap')!));
  const variables = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
  const ports = { METRICS_PORT: '0', AZUREML_MODEL_DIR: mounted };
  const ready = async (server: ServerProcess): Promise<void> => {
    assert.equal((await server.line(({ msg }) => msg === 'ready'))['modelFile'], join(mounted, 'ridge.onnx'));
    assert.match((await server.said('profile ')).msg, /^profile plain/);
  };
  await withServer([], ready, { env: { ...variables, ...ports }, cwd: mounted });
});

test('the notes name keys and TLS where they are on, and how long a stop takes', async () => {
  const notes = await notesOf(['keys.existingSecret=scoring-keys', 'tls.existingSecret=scoring-tls']);
  assert.match(notes, /curl -k https:\/\/localhost:8080\/score -H "Authorization: Bearer \$KEY" -d/);
  assert.match(notes, /A pod may take 96 s to stop/);
  assert.match(await notesOf([]), /Everybody who reaches the Service may score/);
  assert.match(await notesOf(['mode=kserve']), /inferenceservice\/demo-scoring-server/);
});

/** Helm shows them for installations only, so that they become the text of an object here. */
async function notesOf(set: readonly string[]): Promise<string> {
  const chart = join(folder(), 'chart');
  cpSync(join(HELM, 'scoring-server'), chart, { recursive: true });
  const templates = join(chart, 'templates');
  writeFileSync(join(templates, '_notes.tpl'), `{{ define "notes" }}${readFileSync(join(templates, 'NOTES.txt'), 'utf8')}{{ end }}`);
  writeFileSync(join(templates, 'notes.yaml'), 'kind: ConfigMap\ndata:\n  notes: |\n    {{- include "notes" . | nindent 4 }}\n');
  const args = ['template', 'demo', chart, '--kube-version', '1.34.3', '--show-only', 'templates/notes.yaml'];
  const { stdout } = await run(await tool('helm'), [...args, ...set.flatMap((each) => ['--set', each])]);
  const [{ data } = {}] = manifestsOf(stdout) as unknown as { data: { notes: string } }[];
  return data?.notes ?? '';
}
