import { flag } from './option-values.ts';

/** What a flag of another server means here. */
export type ForeignFlag =
  /** A flag of this server, which takes the same values. */
  | { readonly as: string }
  /** A flag of this server in milliseconds, where this one is in seconds. */
  | { readonly asMilliseconds: string }
  /** True sets flags of this server, false none. */
  | { readonly sets: Readonly<Record<string, string>> }
  /** It is taken, and changes nothing: why, or what to use. */
  | { readonly useless: string }
  /** Without it the server would do something else than its user wants: what to do. */
  | { readonly refused: string };

const TRANSFORMER = 'this server calls no predictor. Let run() of an entry script call it';
const LOGS = 'use --log-level, --log-format and ACCESS_LOG_FIELDS';

/**
 * Flags of KServe's own servers, which a ServingRuntime may pass: `parser` of its model_server.py.
 * `--model_name` and `--grpc_port` are this server's, too.
 */
export const foreignFlags: ReadonlyMap<string, ForeignFlag> = new Map<string, ForeignFlag>([
  ['http-port', { as: 'port' }],
  ['workers', { as: 'worker-count' }],
  ['enable-grpc', { sets: { 'grpc-port': '8081' } }],
  ['timeout-keep-alive', { asMilliseconds: 'keep-alive-timeout-ms' }],
  ['max-threads', { useless: 'threads of gRPC are of no use here' }],
  ['max-asyncio-workers', { useless: 'use --worker-concurrency' }],
  ['enable-docs-url', { useless: 'the document of the routes is at /swagger.json' }],
  ['enable-latency-logging', { useless: 'each line of a request has its times, and /metrics has histograms' }],
  ['configure-logging', { useless: LOGS }],
  ['log-config-file', { useless: LOGS }],
  ['access-log-format', { useless: LOGS }],
  ['event-loop', { useless: 'Node.js has one' }],
  ['grpc-max-send-message-length', { useless: 'ANSWER_LIMIT_BYTES holds for gRPC, too' }],
  ['grpc-max-receive-message-length', { useless: 'BODY_LIMIT_BYTES holds for gRPC, too' }],
  ['protocol', { useless: 'the server answers V1, V2 and gRPC without it' }],
  ['predictor-host', { refused: TRANSFORMER }],
  ['predictor-protocol', { refused: TRANSFORMER }],
  ['predictor-use-ssl', { refused: TRANSFORMER }],
  ['predictor-request-timeout-seconds', { refused: TRANSFORMER }],
  ['predictor-request-retries', { refused: TRANSFORMER }],
  ['enable-predictor-health-check', { refused: TRANSFORMER }],
]);

/**
 * The flags of this server that a foreign one stands for.
 * @param rawName as it was written
 * @param problems gets a line where it is refused, warnings where it has no effect
 */
export function ownFlags(
  foreign: ForeignFlag,
  { rawName, value = '' }: { readonly rawName: string; readonly value?: string | undefined },
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
  if ('asMilliseconds' in foreign) return [[foreign.asMilliseconds, /^\d{1,9}$/.test(value) ? String(Number(value) * 1000) : value]];
  try {
    return flag(value) ? Object.entries(foreign.sets) : [];
  } catch {
    problems.push(`${rawName}: expected true or false, got ${JSON.stringify(value)}`);
    return [];
  }
}
