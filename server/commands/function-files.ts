/** Triggers that the command makes functions for. */
export const TRIGGERS = ['http', 'blob', 'service-bus-queue'] as const;

export type Trigger = (typeof TRIGGERS)[number];

/** Who may call a function: everybody, holders of its key, or holders of the key of the app. */
export const AUTH_LEVELS = ['anonymous', 'function', 'admin'] as const;

/** What a function is made of, checked. */
export type FunctionPlan =
  | { readonly trigger: 'http'; readonly name: string; readonly authLevel: (typeof AUTH_LEVELS)[number] }
  | {
      readonly trigger: 'blob' | 'service-bus-queue';
      readonly name: string;
      /** Paths of blobs, or names of queues. */
      readonly input: string;
      readonly output: string;
      /** The data is bytes. */
      readonly binary: boolean;
    };

/** Name of the app setting with the connection string of storage or Service Bus. */
export const CONNECTION = 'TriggerConnectionString';
/** Of docker/functions.Dockerfile. */
const NODE = '/usr/local/bin/node';
const SERVER = '/opt/scoring-server/server/main.ts';
const NODE_FLAGS = ['--disable-sigusr1', '--max-semi-space-size=32', '--require', '/opt/scoring-server/docker/compile-cache.cjs'];

/**
 * The same for every trigger, because the functions of an app share it. Only functions with HTTP in
 * and HTTP out are forwarded.
 */
const HOST_FILE = {
  version: '2.0',
  customHandler: {
    description: { defaultExecutablePath: NODE, arguments: [...NODE_FLAGS, SERVER, 'serve'], workingDirectory: '' },
    enableForwardingHttpRequest: true,
  },
  extensions: { http: { routePrefix: '' } },
  extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' },
};

/** The files of a function app, by their paths in it. */
export function functionFiles(plan: FunctionPlan): ReadonlyMap<string, string> {
  return new Map([
    ['host.json', text(HOST_FILE)],
    [`${plan.name}/function.json`, text({ bindings: bindingsOf(plan) })],
  ]);
}

function bindingsOf(plan: FunctionPlan): object[] {
  if (plan.trigger === 'http')
    return [
      { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: plan.authLevel, methods: ['get', 'post'], route: plan.name },
      { type: 'http', direction: 'out', name: 'res' },
    ];
  const { input, output, binary } = plan;
  const types = plan.trigger === 'blob' ? ['blobTrigger', 'blob'] : ['serviceBusTrigger', 'serviceBus'];
  const place = (value: string): object => (plan.trigger === 'blob' ? { path: value } : { queueName: value });
  return [
    { type: types[0], direction: 'in', name: 'input', ...place(input), connection: CONNECTION, ...(binary && { dataType: 'binary' }) },
    { type: types[1], direction: 'out', name: 'output', ...place(output), connection: CONNECTION },
  ];
}

function text(json: object): string {
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
