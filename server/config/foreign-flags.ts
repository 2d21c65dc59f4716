/** What a flag of another server means here. */
export type ForeignFlag =
  /** A flag of this server, which takes the same values. */
  | { readonly as: string }
  /** Flags of this server by the value; another value is wrong. */
  | { readonly values: Readonly<Record<string, Readonly<Record<string, string>>>> }
  /** It is taken, and changes nothing: why, or what to use. */
  | { readonly useless: string }
  /** Without it the server would do something else than its user wants: what to do. */
  | { readonly refused: string };

const ON = { 'grpc-port': '8081' };
const OFF = {};
const TRANSFORMER = 'this server calls no predictor. Let run() of an entry script call it';
const LOGS = 'use --log-level, --log-format and ACCESS_LOG_FIELDS';

/**
 * Flags of KServe's own servers, which a ServingRuntime may pass: `parser` of its model_server.py.
 * `--model_name` and `--grpc_port` are this server's, too.
 */
export const foreignFlags: ReadonlyMap<string, ForeignFlag> = new Map<string, ForeignFlag>([
  ['http-port', { as: 'port' }],
  ['workers', { as: 'worker-count' }],
  ['enable-grpc', { values: { true: ON, false: OFF } }],
  ['max-threads', { useless: 'threads of gRPC are of no use here' }],
  ['max-asyncio-workers', { useless: 'use --worker-concurrency' }],
  ['enable-docs-url', { useless: 'the document of the routes is at /swagger.json' }],
  ['enable-latency-logging', { useless: 'each line of a request has its times, and /metrics has histograms' }],
  ['configure-logging', { useless: LOGS }],
  ['log-config-file', { useless: LOGS }],
  ['access-log-format', { useless: LOGS }],
  ['protocol', { useless: 'the server answers V1, V2 and gRPC without it' }],
  ['predictor-host', { refused: TRANSFORMER }],
  ['predictor-protocol', { refused: TRANSFORMER }],
  ['predictor-use-ssl', { refused: TRANSFORMER }],
  ['predictor-request-timeout-seconds', { refused: TRANSFORMER }],
]);

/**
 * The flags of this server that a foreign one stands for.
 * @param rawName as it was written
 * @param problems gets a line where it is refused, warnings where it has no effect
 */
export function ownFlags(
  foreign: ForeignFlag,
  { rawName, value }: { readonly rawName: string; readonly value: string },
  problems: string[],
  warnings: string[],
): readonly (readonly [name: string, value: string])[] {
  if ('as' in foreign) return [[foreign.as, value]];
  if ('useless' in foreign) {
    warnings.push(`${rawName} has no effect: ${foreign.useless}`);
    return [];
  }
  if ('refused' in foreign) {
    problems.push(`${rawName}: there is no such flag, because ${foreign.refused}`);
    return [];
  }
  const { values } = foreign;
  const word = value.trim().toLowerCase();
  if (Object.hasOwn(values, word)) return Object.entries(values[word] ?? {});
  problems.push(`${rawName}: expected one of ${Object.keys(values).join(', ')}, got ${JSON.stringify(value)}`);
  return [];
}
