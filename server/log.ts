import { pino, stdSerializers, type Logger as Pino, type LoggerOptions } from 'pino';
import type { Config } from './config/config.ts';
import { LogOutput } from './system/log-output.ts';
import { cutText } from './guards/output-lines.ts';

export type Log = Pino;

export interface ServerLog {
  readonly log: Log;
  /** Writes what is left before the process exits, for at most a second. What its reader does not take is lost. */
  readonly flush: () => void;
  /** Writes lines of something else among those of the log. */
  readonly print: (text: string) => void;
  /** Lines that are lost: their reader left no room for them. */
  readonly lost: () => number;
}

/** The process whose stdout the log is. */
interface Streams {
  readonly stdout: { readonly isTTY: boolean };
  readonly stderr: { readonly isTTY: boolean; write(text: string): unknown };
}

/** What pino-pretty leaves out of a line: a person at a terminal does not need them. */
const NOT_FOR_PEOPLE = 'pid,hostname';
const FLUSH_LIMIT_MS = 1000;
/** A line that is longer, although its text and its worker's fields were cut, is shown as text. */
const LONGEST_RECORD = 1024 * 1024;

/**
 * The host's logger: JSON lines on stdout, or coloured lines for a person at a terminal. Neither waits for its reader: a bounded number of
 * lines is kept for one that stalls, then lines are lost, and the log says how many when it goes on.
 */
export async function createLog(config: Pick<Config, 'logLevel' | 'logFormat'>, { stdout, stderr }: Streams): Promise<ServerLog> {
  // To ask has Node make a pipe non-blocking.
  const isTerminal = stdout.isTTY;
  const output = new LogOutput(1, (lines) => log.warn({ lost: lines }, 'lines of the log are lost: stdout was stalled, full or closed'));
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && isTerminal);
  const shown = pretty ? await prettifier(isTerminal) : (line: string): string => line;
  const log: Log = pino(options(config), {
    write: (line) => (output.full ? output.lose(1) : output.write(shown(line.length > LONGEST_RECORD ? shortened(line) : line))),
  });
  const flush = (): void => {
    const lost = output.flush(FLUSH_LIMIT_MS);
    if (lost > 0 && !stderr.isTTY)
      stderr.write(`scoring-server: the last ${lost} lines of the log are lost: stdout is stalled, full or closed\n`);
  };
  return { log, flush, print: (text) => output.write(text), lost: () => output.lost };
}

/** Loaded only where a person reads. */
async function prettifier(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  return prettyFactory({ colorize, ignore: NOT_FOR_PEOPLE, translateTime: 'HH:MM:ss.l' });
}

function options(config: Pick<Config, 'logLevel'>): LoggerOptions {
  return {
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    hooks: {
      // Texts of clients and scripts are in messages; before they are copied.
      logMethod(args, method) {
        for (let at = 0; at < args.length; at++) {
          const value: unknown = args[at];
          if (typeof value === 'string') args[at] = cutText(value);
        }
        method.apply(this, args);
      },
    },
    serializers: { err: cutError },
    redact: { paths: ['headers.authorization', 'headers.cookie', 'headers["x-api-key"]'], censor: '[redacted]' },
  };
}

function cutError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { type, message, stack, ...rest } = stdSerializers.err(thrown);
  return { type, message: cutText(message), stack: cutText(stack), ...rest };
}

/** The beginning of a line, as text in a line of its own. */
function shortened(line: string): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), characters: line.length, msg: `a line of the log is cut: ${cutText(line)}` })}\n`;
}
