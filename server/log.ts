import { pino, type Logger as Pino, type LoggerOptions } from 'pino';
import type { Config } from './config/config.ts';
import { LogOutput } from './system/log-output.ts';
import { readableLog } from './system/readable-log.ts';
import { withoutKeys } from './guards/addresses.ts';
import { cutText } from './guards/output-lines.ts';
import { fieldsOfError } from './guards/thrown.ts';

export type Log = Pino;

export interface ServerLog {
  readonly log: Log;
  /** Lines for a person, not JSON. */
  readonly readable: boolean;
  /**
   * Writes the remaining lines before the process exits, for at most 1 s. The last one tells how
   * many were dropped. Lines that the reader does not take meanwhile are dropped, too.
   */
  readonly flush: () => void;
  /** Where lines of other sources are written, among those of the log. */
  readonly output: Pick<LogOutput, 'write' | 'deliver'>;
  /** Lines that are dropped, because their reader left no room for them. */
  readonly dropped: () => number;
}

/** The process whose stdout or stderr the log is. */
interface Streams {
  readonly stdout: { readonly isTTY: boolean; hasColors(): boolean };
  readonly stderr: { readonly isTTY: boolean; hasColors(): boolean; write(text: string): unknown };
}

const FLUSH_LIMIT_MS = 1000;
/** Characters. A longer line, although its text and fields were cut, is logged as text. */
const LONGEST_RECORD = 1024 * 1024;

/**
 * The host's logger: JSON lines, or readable lines for a person at a terminal, coloured unless
 * NO_COLOR or TERM forbid it. It never waits for its reader. It keeps a bounded number of lines for
 * a stalled reader, then loses lines, and logs their number when the reader goes on.
 * @param to stderr where stdout has answers
 */
export async function createLog(
  config: Pick<Config, 'logLevel' | 'logFormat' | 'accessLogFields'>,
  { stdout, stderr }: Streams,
  to: 'stdout' | 'stderr' = 'stdout',
): Promise<ServerLog> {
  const stream = to === 'stdout' ? stdout : stderr;
  // Reading `isTTY` makes Node set a pipe to non-blocking.
  const isTerminal = stream.isTTY;
  let ends = false;
  const output = new LogOutput(to === 'stdout' ? 1 : 2, (dropped) =>
    log.warn({ dropped }, `lines of the log are dropped: ${to} was stalled, full or closed`),
  );
  const readable = config.logFormat === 'pretty' || (config.logFormat === 'auto' && isTerminal);
  const shown = readable ? await readableLog(isTerminal && stream.hasColors(), config.accessLogFields) : (line: string): string => line;
  const log: Log = pino(options(config), {
    write(line) {
      if (ends) output.writeLast(shown(line));
      else if (output.full) output.lose(1);
      else output.write(shown(line.length > LONGEST_RECORD ? shortened(line) : line));
    },
  });
  const flush = (): void => {
    ends = true;
    if (output.lost > 0) log.warn({ dropped: output.lost }, 'the log ends; not all of its lines were written (log_lines_dropped_total)');
    const left = output.flush(FLUSH_LIMIT_MS);
    if (left > 0 && to === 'stdout' && !stderr.isTTY)
      stderr.write(`scoring-server: the last ${left} lines of the log are dropped: stdout is stalled, full or closed\n`);
  };
  return { log, readable, flush, output, dropped: () => output.lost };
}

function options(config: Pick<Config, 'logLevel'>): LoggerOptions {
  return {
    level: config.logLevel,
    base: null,
    timestamp: isoTimes(),
    formatters: { level: (level) => ({ level }) },
    hooks: {
      // Cut before they are copied, because messages contain texts of clients and scripts.
      logMethod(args, method) {
        for (let at = 0; at < args.length; at++) {
          const value: unknown = args[at];
          if (typeof value === 'string') args[at] = cutText(value);
        }
        method.apply(this, args);
      },
    },
    serializers: { err: errorFields },
    redact: { paths: ['headers.authorization', 'headers.cookie', 'headers["x-api-key"]'], censor: '[redacted]' },
  };
}

/** Makes the text of a millisecond once. Why: it was a sixth of the work of a flood of lines. */
function isoTimes(): () => string {
  let at = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) text = `,"time":"${new Date(now).toISOString()}"`;
    at = now;
    return text;
  };
}

/** Errors of libraries quote addresses, which may hold keys. */
function errorFields(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { type, message, stack } = fieldsOfError(thrown);
  return { type, message: withoutKeys(message), stack: withoutKeys(stack) };
}

/** A line with the beginning of a longer one as its text. */
function shortened(line: string): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), characters: line.length, msg: `a line of the log is cut: ${cutText(line)}` })}\n`;
}
