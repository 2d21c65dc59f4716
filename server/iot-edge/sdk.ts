/**
 * The part of Azure's SDK that this room uses: azure-iot-device 1.18.4, azure-iot-device-mqtt
 * 1.16.4, azure-iot-mqtt-base and mqtt 4.3.8, as docker/iot-edge/package-lock.json names them.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describeThrown, ServerError } from '../errors.ts';

/** A property of a message. */
interface SdkProperties {
  readonly propertyList: readonly { readonly key: string; readonly value: string }[];
  add(key: string, value: string): unknown;
}

export interface SdkMessage {
  readonly data: unknown;
  /** Empty: none. */
  messageId: string;
  correlationId: string;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  readonly properties: SdkProperties;
}

export interface SdkModuleClient {
  on(event: 'inputMessage', listener: (input: string, message: SdkMessage) => void): unknown;
  on(event: 'error' | 'disconnect', listener: (error?: unknown) => void): unknown;
  setRetryPolicy(policy: { shouldRetry(): boolean; nextRetryTimeout(): number }): void;
  open(): Promise<unknown>;
  close(): Promise<unknown>;
  sendOutputEvent(output: string, message: SdkMessage): Promise<unknown>;
}

/** Makes the tokens of a connection. It renews them by a timer, and emits `error` if that fails. */
interface SdkAuthentication {
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

export interface MqttPacket {
  readonly cmd: string;
  readonly qos?: number;
  readonly messageId?: number;
  readonly payload?: unknown;
}

/** A connection of MQTT.js. */
export interface MqttClient {
  readonly connected: boolean;
  readonly stream?: { readonly setNoDelay?: (off: boolean) => unknown };
  /** MQTT.js calls it for each message. It acknowledges a message once `done` is called. */
  handleMessage(packet: MqttPacket, done: (error?: Error) => void): void;
  _sendPacket(packet: MqttPacket): void;
  end(force: boolean): unknown;
}

interface MqttConnector {
  connect(uri: string, options: object): MqttClient;
}

interface SdkMqttBase {
  emit(event: string, ...args: unknown[]): boolean;
}

type SdkTransport = new (authentication: SdkAuthentication, base: SdkMqttBase) => object;

export interface Sdk {
  readonly ModuleClient: {
    fromEnvironment(transport: new (authentication: SdkAuthentication) => object): Promise<SdkModuleClient>;
  };
  readonly Message: new (data: Buffer) => SdkMessage;
  readonly Mqtt: SdkTransport;
  readonly MqttBase: new (connector: MqttConnector) => SdkMqttBase;
  readonly mqtt: MqttConnector;
}

/** Packages of a folder of their own, so no dependencies of this server. */
const [DEVICE, TRANSPORT, BASE] = ['azure-iot-device', 'azure-iot-device-mqtt', 'azure-iot-mqtt-base'] as const;

type Exports = Partial<Record<keyof Sdk, unknown>>;
type Variables = Readonly<Record<string, string | undefined>>;

/** What the IoT Edge runtime sets for each module. The SDK asks for all of them. */
const OF_RUNTIME = [
  'IOTEDGE_WORKLOADURI',
  'IOTEDGE_DEVICEID',
  'IOTEDGE_MODULEID',
  'IOTEDGE_IOTHUBHOSTNAME',
  'IOTEDGE_AUTHSCHEME',
  'IOTEDGE_MODULEGENERATIONID',
];

/** @throws ServerError usage, if the environment is not that of a module */
export function checkEnvironment(env: Variables): void {
  if ((env['EdgeHubConnectionString'] ?? env['IotHubConnectionString'] ?? '') !== '') return;
  const missing = OF_RUNTIME.filter((name) => (env[name] ?? '') === '');
  if (missing.length === 0) return;
  throw new ServerError(
    'usage',
    `${missing.join(', ')}: expected a value, got none. The IoT Edge runtime sets it for a module; for the simulator set EdgeHubConnectionString and EdgeModuleCACertificateFile`,
  );
}

/**
 * Loads the SDK.
 * @param folder whose `node_modules` holds it
 * @throws ServerError usage, if it is not there or of another version
 */
export function loadSdk(folder: string): Sdk {
  let sdk: Exports;
  try {
    const require = createRequire(join(folder, 'package.json'));
    const { ModuleClient, Message }: Exports = require(DEVICE);
    const { Mqtt }: Exports = require(TRANSPORT);
    const inTransport = createRequire(require.resolve(TRANSPORT));
    const { MqttBase }: Exports = inTransport(BASE);
    const mqtt: unknown = createRequire(inTransport.resolve(BASE))('mqtt');
    sdk = { ModuleClient, Message, Mqtt, MqttBase, mqtt };
  } catch (thrown) {
    const text = `expected azure-iot-device and azure-iot-device-mqtt in ${join(folder, 'node_modules')}, got: ${firstLine(thrown)}`;
    throw new ServerError('usage', `${text}. Build the image with docker/iot-edge.Dockerfile, or name their folder with --sdk`, {
      cause: thrown,
    });
  }
  if (isSdk(sdk)) return sdk;
  throw new ServerError(
    'usage',
    `the SDK in ${folder} is of another version: expected what docker/iot-edge/package-lock.json names. Run npm ci there`,
  );
}

function isSdk(sdk: Exports): sdk is Sdk {
  const { ModuleClient, Message, Mqtt, MqttBase, mqtt } = sdk;
  const has = (value: unknown, name: string): boolean =>
    ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof Reflect.get(value, name) === 'function';
  const made = typeof Message === 'function' && typeof Mqtt === 'function' && typeof MqttBase === 'function';
  return made && has(ModuleClient, 'fromEnvironment') && has(mqtt, 'connect');
}

/** True if a connection has what acknowledgements need. */
export function acknowledges(client: MqttClient): boolean {
  return typeof client.handleMessage === 'function' && typeof client._sendPacket === 'function';
}

function firstLine(thrown: unknown): string {
  return describeThrown(thrown).split('\n')[0] ?? '';
}
