import assert from 'node:assert/strict';
import { type Config, type Option, optionRows } from '../../server/config/config.ts';
import { readConfig } from '../../server/config/read-config.ts';
import type { Manifest } from './render.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string>>>>;
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

export interface Pod {
  readonly labels: Readonly<Record<string, string>>;
  readonly terminationGracePeriodSeconds: number;
  readonly enableServiceLinks: boolean;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumes: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
  readonly containers: readonly Container[];
  readonly [key: string]: unknown;
}

/** The one object of a kind. */
export function only(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((each) => each.kind === kind);
  assert.equal(found.length, 1, `expected one ${kind}`);
  return found[0]!;
}

/** The pod of a rendering. KServe makes it of a runtime and of the predictor that names it. */
export function podOf(manifests: readonly Manifest[]): Pod {
  const deployment = manifests.find(({ kind }) => kind === 'Deployment');
  if (deployment !== undefined) {
    const { template } = deployment['spec'] as { template: { metadata: { labels: Record<string, string> }; spec: Pod } };
    return { ...template.spec, labels: template.metadata.labels };
  }
  const runtime = manifests.find(({ kind }) => /^(?:Cluster)?ServingRuntime$/.test(kind));
  const { predictor } = only(manifests, 'InferenceService')['spec'] as { predictor: Pod };
  return { ...(runtime?.['spec'] as Pod), ...predictor, labels: {} };
}

export function containerOf(pod: Pod): Container {
  assert.equal(pod.containers.length, 1);
  return pod.containers[0]!;
}

/** The option that a variable sets; undefined: no option has that name. */
export function optionOf(name: string): Option<unknown> | undefined {
  return optionRows.find(({ env }) => env.includes(name));
}

/** What the server makes of the variables and the flags of a container. */
export function configOf({ env, args = [] }: Container): Config {
  const variables = env.map(({ name, value }) => [name, value ?? secretFor(name)]);
  const argv = args.map((each) => each.replace('{{.Name}}', 'demo'));
  const command = readConfig({ argv, env: Object.fromEntries(variables) as Record<string, string>, cwd: '/' });
  assert.equal(command.kind, 'serve');
  return command.config;
}

/** A value that the option takes, where the chart names a Secret. */
function secretFor(name: string): string {
  const values = ['InstrumentationKey=00000000-0000-0000-0000-000000000000', 'https://example.invalid', 'a-key-of-more-than-16-bytes'];
  const row = optionOf(name);
  return values.find((value) => accepts(row, value)) ?? '';
}

function accepts(row: Option<unknown> | undefined, value: string): boolean {
  try {
    row?.parse(value);
    return row !== undefined;
  } catch {
    return false;
  }
}
