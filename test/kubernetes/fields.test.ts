import assert from 'node:assert/strict';
import test from 'node:test';
import { type Manifest, type Rendering, render } from './render.ts';

/** `<kind> <path>` or `<kind>/<name> <path>`, and what is there; undefined: nothing is. */
type Fields = Readonly<Record<string, unknown>>;

const NAME = 'demo-scoring-server';
const POD = 'Deployment spec.template.spec';
const CONTAINER = `${POD}.containers.0`;
const SELECTED = { 'app.kubernetes.io/name': 'scoring-server', 'app.kubernetes.io/instance': 'demo' };
const spread = (topologyKey: string): object => ({
  maxSkew: 1,
  topologyKey,
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: SELECTED },
  matchLabelKeys: ['pod-template-hash'],
});

/** What values are for. Schemas of Kubernetes take a rendering that lacks any of it. */
const cases: readonly [what: string, rendering: Rendering, fields: Fields][] = [
  [
    'pods spread over nodes and zones, and one that never becomes ready holds no node',
    {},
    {
      [`${POD}.topologySpreadConstraints`]: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map(spread),
      'PodDisruptionBudget spec.unhealthyPodEvictionPolicy': 'AlwaysAllow',
      'PodDisruptionBudget spec.maxUnavailable': 1,
      [`${CONTAINER}.image`]: 'scoring-server:0.1.0-cpu',
      [`Service/${NAME} spec.ports.0`]: { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' },
    },
  ],
  [
    'TLS, keys and gRPC: only the group of the pod reads Secrets, and clients see every pod',
    { file: 'autoscaled' },
    {
      [`${POD}.volumes.1.secret`]: { secretName: 'scoring-keys', defaultMode: 0o440 },
      [`${POD}.volumes.2.secret`]: { secretName: 'scoring-tls', defaultMode: 0o440 },
      [`${POD}.securityContext.fsGroup`]: 1000,
      [`Service/${NAME} spec.ports.0.appProtocol`]: 'https',
      [`Service/${NAME}-grpc spec.clusterIP`]: 'None',
      [`Service/${NAME}-grpc spec.ports.0.appProtocol`]: 'https',
      [`Service/${NAME}-metrics spec.clusterIP`]: 'None',
      [`Service/${NAME}-metrics spec.publishNotReadyAddresses`]: true,
      'ScaledObject spec.triggers.0.metadata.ignoreNullValues': 'false',
      'ScaledObject spec.minReplicaCount': 2,
      'ScaledObject spec.maxReplicaCount': 20,
      'ServiceMonitor spec.endpoints.0.scheme': 'https',
      'ServiceMonitor spec.endpoints.0.tlsConfig.ca.secret.name': 'scoring-tls',
      'NetworkPolicy spec.ingress.0.from': undefined,
      'NetworkPolicy spec.ingress.1.from': [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
    },
  ],
  [
    'gRPC behind a mesh has one address, and its protocol',
    { set: ['grpc.enabled=true', 'grpc.service.headless=false', 'grpc.service.port=9000'] },
    {
      [`Service/${NAME}-grpc spec.clusterIP`]: undefined,
      [`Service/${NAME}-grpc spec.ports.0`]: { name: 'grpc', port: 9000, targetPort: 'grpc', appProtocol: 'kubernetes.io/h2c' },
    },
  ],
  [
    'IPv6: the server listens on it, and every Service has it',
    { set: ['service.ipFamilies[0]=IPv6', 'service.ipFamilyPolicy=SingleStack', 'grpc.enabled=true'] },
    {
      [`${CONTAINER}.env.2`]: { name: 'SCORING_HOST', value: '::' },
      ...Object.fromEntries(['', '-grpc', '-metrics'].map((part) => [`Service/${NAME}${part} spec.ipFamilies`, ['IPv6']])),
    },
  ],
  [
    'a scaler of its own query, with a login and a number for outages',
    {
      set: [
        'autoscaling.mode=keda',
        'autoscaling.keda.serverAddress=https://prometheus',
        'autoscaling.keda.query=sum(a)',
        'autoscaling.keda.threshold=20',
        'autoscaling.keda.authentication=login',
        'autoscaling.keda.fallbackReplicas=4',
        'autoscaling.scaleDown.stabilizationWindowSeconds=7',
      ],
    },
    {
      'ScaledObject spec.triggers.0.authenticationRef.name': 'login',
      'ScaledObject spec.triggers.0.metadata.query': 'sum(a)',
      'ScaledObject spec.fallback.replicas': 4,
      'ScaledObject spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds': 7,
    },
  ],
  [
    'a HorizontalPodAutoscaler on the CPU',
    { set: ['autoscaling.mode=hpa', 'autoscaling.minReplicas=3', 'autoscaling.hpa.cpuUtilization=50'] },
    {
      'HorizontalPodAutoscaler spec.minReplicas': 3,
      'HorizontalPodAutoscaler spec.metrics.0.resource': { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
      'HorizontalPodAutoscaler spec.behavior.scaleUp.policies.0': { type: 'Percent', value: 100, periodSeconds: 15 },
    },
  ],
  [
    'a closed network lets clients in, and names out',
    {
      set: [
        'networkPolicy.restrictEgress=true',
        'networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8',
        'networkPolicy.clients[0].podSelector.matchLabels.app=gateway',
      ],
    },
    {
      'NetworkPolicy spec.policyTypes': ['Ingress', 'Egress'],
      'NetworkPolicy spec.ingress.0.from': [{ podSelector: { matchLabels: { app: 'gateway' } } }],
      'NetworkPolicy spec.egress.0.ports': [
        { protocol: 'UDP', port: 53 },
        { protocol: 'TCP', port: 53 },
      ],
      'NetworkPolicy spec.egress.1.to': [{ ipBlock: { cidr: '10.0.0.0/8' } }],
    },
  ],
  [
    'workload identity: the webhook finds the pod and its account',
    { set: ['workloadIdentity.enabled=true', 'workloadIdentity.clientId=an-id'] },
    {
      'Deployment spec.template.metadata.labels.azure~workload~identity/use': 'true',
      'ServiceAccount metadata.annotations.azure~workload~identity/client-id': 'an-id',
      [`${POD}.serviceAccountName`]: NAME,
    },
  ],
  [
    'a GPU, and a model of a claim',
    { file: 'gpu', set: ['gpu.runtimeClassName=nvidia', 'imagePullSecrets[0].name=login', 'extraEnvFrom[0].configMapRef.name=script'] },
    {
      [`${POD}.runtimeClassName`]: 'nvidia',
      [`${POD}.tolerations.0.key`]: 'nvidia.com/gpu',
      [`${POD}.imagePullSecrets`]: [{ name: 'login' }],
      [`${POD}.volumes.1.persistentVolumeClaim`]: { claimName: 'models', readOnly: true },
      [`${CONTAINER}.volumeMounts.1`]: { name: 'model', mountPath: '/models', readOnly: true, subPath: 'my-model' },
      [`${CONTAINER}.envFrom.0.configMapRef.name`]: 'script',
    },
  ],
  [
    'an image by its digest, and a key for Prometheus',
    {
      set: [
        `image.digest=sha256:${'a'.repeat(64)}`,
        'metrics.serviceMonitor.enabled=true',
        'metrics.serviceMonitor.keySecret.name=scrape',
        'metrics.serviceMonitor.keySecret.key=key',
        'metrics.serviceMonitor.labels.release=prometheus',
        'service.type=LoadBalancer',
      ],
    },
    {
      [`${CONTAINER}.image`]: `scoring-server@sha256:${'a'.repeat(64)}`,
      'ServiceMonitor spec.endpoints.0.authorization.credentials': { name: 'scrape', key: 'key' },
      'ServiceMonitor metadata.labels.release': 'prometheus',
      [`Service/${NAME} spec.type`]: 'LoadBalancer',
    },
  ],
];

for (const [what, rendering, fields] of cases)
  test(what, async () => {
    const manifests = await render(rendering);
    const found = Object.keys(fields).map((address) => [address, fieldOf(manifests, address)]);
    assert.deepEqual(Object.fromEntries(found), fields);
  });

function fieldOf(manifests: readonly Manifest[], address: string): unknown {
  const [object = '', path = ''] = address.split(' ');
  const [kind, name] = object.split('/');
  const manifest = manifests.find((each) => each.kind === kind && (name === undefined || each.metadata.name === name));
  assert.ok(manifest !== undefined, `no ${object}`);
  const keys = path.split('.').map((key) => key.replaceAll('~', '.'));
  return keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], manifest);
}
