/** Objects of the API, as far as tests read them. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
}

export interface List<T extends Resource = Resource> {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly T[];
}

/** Why an answer is no success. */
export interface Status {
  readonly message: string;
  readonly reason: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly reason?: string; readonly message?: string }[] };
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number; readonly scheme: 'HTTP' | 'HTTPS' };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly nodeName?: string;
  readonly terminationGracePeriodSeconds: number;
}

export interface Pod extends Resource {
  readonly spec: PodSpec;
  readonly status: { readonly phase: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface Deployment extends Resource {
  readonly metadata: Resource['metadata'] & { readonly generation: number };
  readonly spec: {
    readonly replicas: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly spec: PodSpec };
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
  };
}

/** True for a pod that takes requests: ready, and not about to end. */
export function takesRequests({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
}

/** True once a rollout is over: every replica is new and available. */
export function rolledOut({ metadata, spec, status }: Deployment): boolean {
  const { observedGeneration, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration === metadata.generation && [replicas, updatedReplicas, availableReplicas].every((each) => each === spec.replicas)
  );
}
