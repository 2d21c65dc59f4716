import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { optionRows } from '../../server/config/config.ts';
import { readConfig, type ServeCommand } from '../../server/config/read-config.ts';
import { defaultLimits } from '../../server/grpc/limits.ts';
import { grpcMethods } from '../../server/grpc/methods.ts';
import { appRoutes } from '../../server/http/app.ts';
import { metricsRoutes } from '../../server/http/metrics-route.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config } from '../http/start.ts';
import { LogLines } from '../set-up/log-lines.ts';

const FOLDER = new URL('../../deploy/kserve/', import.meta.url);

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: number };
  readonly grpc?: { readonly port: number };
}
interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: Record<string, unknown>;
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}
interface Runtime {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly annotations: Readonly<Record<string, string>>;
    readonly supportedModelFormats: readonly { readonly name: string }[];
    readonly protocolVersions: readonly string[];
    readonly containers: readonly Container[];
  };
}
interface Service {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly predictor: {
      readonly terminationGracePeriodSeconds?: number;
      readonly model: {
        readonly modelFormat: { readonly name: string };
        readonly runtime: string;
        readonly protocolVersion: string;
        readonly args?: readonly string[];
        readonly env?: readonly { readonly name: string; readonly value: string }[];
      };
    };
  };
}

function documents(file: string): unknown[] {
  return parseAllDocuments(readFileSync(new URL(file, FOLDER), 'utf8')).map((document) => {
    assert.deepEqual([...document.errors, ...document.warnings], []);
    return document.toJS() as unknown;
  });
}

const namespaced = documents('serving-runtime.yaml') as Runtime[];
const cluster = documents('cluster-serving-runtime.yaml') as Runtime[];
const services = documents('inference-service.yaml') as Service[];

/** The server as KServe starts it: with the name of the service in place of the template. */
function started(args: readonly string[], env: Record<string, string> = {}): ServeCommand {
  const command = readConfig({ argv: args.map((arg) => arg.replace('{{.Name}}', 'my-model')), env, cwd: tmpdir() });
  assert.ok(command.kind === 'serve');
  return command;
}

/** Paths and gRPC methods that a server of this command answers, and the ports. */
function served({ config: given, profile }: ServeCommand): { open: string[]; metrics: string[]; grpc: string[]; ports: number[] } {
  const parts = {
    config: config({ modelName: given.modelName }),
    scorer: new FakeScorer(),
    lifecycle: new Lifecycle(),
    metrics: new Metrics(),
    log: new LogLines().log,
    swaggerFiles: '/nowhere',
    profile,
  };
  return {
    open: appRoutes(parts)
      .filter(({ access }) => access === 'open')
      .map(({ path }) => path),
    metrics: metricsRoutes(parts.config, parts.metrics).map(({ path }) => path),
    grpc: Array.from(grpcMethods(parts, { ...defaultLimits, answerIdleMs: 0 }).methods, ([path = '']) => path),
    ports: [given.port, given.grpcPort].filter((port) => port > 0),
  };
}

const onlyContainer = ({ spec }: Runtime): Container => {
  const [container, ...others] = spec.containers;
  assert.ok(container !== undefined && others.length === 0);
  return container;
};

for (const runtime of [...namespaced, ...cluster])
  describe(`the ${runtime.kind} ${runtime.metadata.name}`, () => {
    const { args, ports, readinessProbe, livenessProbe, securityContext, volumeMounts } = onlyContainer(runtime);
    const command = started(args);
    const there = served(command);

    it('has flags that the server takes, and that show it KServe', () => {
      assert.deepEqual([command.warnings, command.profile.platform.name], [[], 'kserve']);
      assert.deepEqual([command.config.modelName, command.config.modelDir], ['my-model', '/mnt/models']);
    });

    it('has ports that the server opens', () => {
      for (const { containerPort } of ports) assert.ok(there.ports.includes(containerPort), String(containerPort));
    });

    it('has probes that the server answers without a key', () => {
      for (const { httpGet, grpc } of [readinessProbe, livenessProbe]) {
        if (httpGet !== undefined) assert.deepEqual([there.open.includes(httpGet.path), httpGet.port], [true, command.config.port]);
        else assert.deepEqual([there.grpc.includes('/grpc.health.v1.Health/Check'), grpc?.port], [true, command.config.grpcPort]);
      }
    });

    it('names the page of metrics', () => {
      const { 'prometheus.kserve.io/port': port, 'prometheus.kserve.io/path': path = '' } = runtime.spec.annotations;
      assert.deepEqual([Number(port), there.metrics.includes(path)], [command.config.port, true]);
    });

    it('has the protocols of its port', () => {
      const isGrpc = ports.some(({ containerPort }) => containerPort === command.config.grpcPort);
      assert.deepEqual(runtime.spec.protocolVersions, isGrpc ? ['grpc-v2'] : ['v1', 'v2']);
      assert.deepEqual(
        ports.map(({ name }) => name),
        [isGrpc ? 'h2c' : undefined],
      );
    });

    it('is restricted as Kubernetes restricts pods', () => {
      assert.deepEqual(securityContext, {
        runAsNonRoot: true,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      });
      assert.deepEqual(
        volumeMounts.map(({ mountPath }) => mountPath),
        ['/tmp'],
      );
    });
  });

test('the runtimes of a namespace and of a cluster differ only in their kind', () => {
  const asCluster = (runtime: Runtime): Runtime => ({ ...runtime, kind: `Cluster${runtime.kind}` });
  assert.deepEqual(namespaced.map(asCluster), cluster);
});

for (const { metadata, spec } of services)
  test(`the InferenceService ${metadata.name} fits its runtime, and has options of the server`, () => {
    const { terminationGracePeriodSeconds = 30, model } = spec.predictor;
    const runtime = namespaced.find(({ metadata: { name } }) => name === model.runtime);
    assert.ok(runtime !== undefined);
    assert.ok(runtime.spec.protocolVersions.includes(model.protocolVersion));
    assert.ok(runtime.spec.supportedModelFormats.some(({ name }) => name === model.modelFormat.name));
    const variables = Object.fromEntries((model.env ?? []).map(({ name, value }) => [name, value]));
    for (const name of Object.keys(variables))
      assert.ok(
        optionRows.some(({ env }) => env.includes(name)),
        name,
      );
    const { config: given, warnings } = started([...onlyContainer(runtime).args, ...(model.args ?? [])], variables);
    assert.deepEqual(warnings, []);
    assert.ok(given.drainTimeoutMs < terminationGracePeriodSeconds * 1000);
  });
