/** Fields that are shown in another form, or not at all, because they are for machines. */
const NO_FIELDS: readonly string[] = ['level', 'time', 'msg', 'err', 'pid', 'hostname', 'traceId', 'requestId'];
/** The beginning of a UUID is enough at a terminal. */
const UUID = /^([0-9a-f]{8})-[0-9a-f]{4}-/;
/** Control characters that JSON does not escape. pino-pretty leaves them in the parts of errors. */
const UNESCAPED = /[\u007f-\u009f]/g;
/** Shortest text that is no field of its own where the message has it. */
const TELLING = 3;

/** Fields of a request's line, by the names that an option uses: config.ts. */
const REQUEST_FIELDS: Readonly<Record<string, readonly string[]>> = {
  client: ['client'],
  'user-agent': ['userAgent'],
  bytes: ['bytesIn', 'bytesOut'],
  worker: ['worker'],
};

interface Line extends Readonly<Record<string, unknown>> {
  readonly level?: unknown;
  readonly time?: unknown;
  readonly msg?: unknown;
  readonly err?: unknown;
}

/**
 * Loads a function that makes lines of JSON readable: one line with the message and its fields,
 * more only for a stack.
 * @param requestFields what a request's line has beside its usual fields: ACCESS_LOG_FIELDS
 */
export async function readableLog(colorize: boolean, requestFields: readonly string[] = []): Promise<(line: string) => string> {
  const shown = requestFields.flatMap((name) => REQUEST_FIELDS[name] ?? []);
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ colorize, translateTime: 'HH:MM:ss.l' });
  return (text) => {
    const line: Line = JSON.parse(text.replaceAll(UNESCAPED, ''));
    return pretty(forPeople(line, shown));
  };
}

function forPeople(line: Line, shown: readonly string[]): Line {
  const { level, time, err, requestId } = line;
  const request = typeof requestId === 'string' ? (UUID.exec(requestId)?.[1] ?? requestId) : undefined;
  if (isAccess(line)) {
    const { method, route, path = route, status, ms } = line;
    const more = shown.filter((name) => line[name] !== undefined).map((name) => [name, line[name]]);
    const text = `${method} ${path} ${status} ${ms.toFixed(1)} ms ${request}`;
    return { level: levelOf(status), time, msg: more.length === 0 ? text : `${text} ${JSON.stringify(Object.fromEntries(more))}` };
  }
  const msg = wholeText(line);
  const fields = Object.entries(line).filter(([name, value]) => !NO_FIELDS.includes(name) && !isTold(msg, value));
  if (request !== undefined) fields.push(['request', request]);
  // In the text, because pino-pretty leaves out fields of some names.
  const text = fields.length === 0 ? msg : `${String(msg)}${separator(msg)}${JSON.stringify(Object.fromEntries(fields))}`;
  return { level, time, msg: text, ...(err !== undefined && { err }) };
}

/** The message, or of a failed start its whole text, and the folder that was read. */
function wholeText({ msg = '', stack, text = stack, tree }: Line): unknown {
  if (typeof msg !== 'string') return msg;
  const whole = typeof text === 'string' && text.includes('\n') && msg.startsWith(text.split('\n', 1)[0] ?? '') ? text : msg;
  return typeof tree === 'string' && tree.includes('\n') ? `${whole}\n${tree}` : whole;
}

/** Below several lines, fields have a line of their own: they are no part of a stack. */
function separator(msg: unknown): string {
  return typeof msg === 'string' && msg.includes('\n') ? '\n    ' : ' ';
}

/** The message has this text already. */
function isTold(msg: unknown, value: unknown): boolean {
  return typeof msg === 'string' && typeof value === 'string' && value.length >= TELLING && msg.includes(value);
}

interface Access extends Line {
  readonly method: string;
  readonly route: string;
  /** If no route matched. */
  readonly path?: string;
  readonly status: number;
  readonly ms: number;
}

/** A line of telemetry/access-log.ts. */
function isAccess(line: Line): line is Access {
  const { msg, method, route, status, ms, bytesOut } = line;
  const texts = msg === 'request' && typeof method === 'string' && typeof route === 'string';
  return texts && typeof status === 'number' && typeof ms === 'number' && typeof bytesOut === 'number';
}

/** Why: a failed request stands out among the others. */
function levelOf(status: number): 'info' | 'warn' | 'error' {
  if (status >= 500) return 'error';
  return status >= 400 ? 'warn' : 'info';
}
