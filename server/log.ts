import { pino, type DestinationStream, type Logger as Pino, type LoggerOptions } from 'pino';
import type { Config } from './config.ts';

export type Log = Pino;

export interface ServerLog {
  readonly log: Log;
  /** Writes what is left before the process exits. */
  readonly flush: () => void;
  /** Writes lines of something else among those of the log. */
  readonly print: (text: string) => void;
}

/** What pino-pretty leaves out of a line: a person at a terminal does not need them. */
const NOT_FOR_PEOPLE = 'pid,hostname';

/** Bytes of log lines that may wait for a stalled reader of stdout; beyond them lines are dropped, requests go on. */
const LONGEST_BACKLOG = 16 * 1024 * 1024;

/**
 * The host's logger: JSON lines on stdout, written asynchronously so that a stalled reader cannot stall probes,
 * or coloured lines for a person at a terminal. `flush` writes what is left before the process exits.
 */
export async function createLog(config: Pick<Config, 'logLevel' | 'logFormat'>, isTerminal: boolean): Promise<ServerLog> {
  const pretty = config.logFormat === 'pretty' || (config.logFormat === 'auto' && isTerminal);
  if (pretty) {
    const { default: prettyStream } = await import('pino-pretty');
    const stream: DestinationStream = prettyStream({
      colorize: isTerminal,
      ignore: NOT_FOR_PEOPLE,
      translateTime: 'HH:MM:ss.l',
      sync: true,
    });
    const log: Log = pino(options(config), stream);
    return { log, flush: () => undefined, print: (text) => void process.stdout.write(text) };
  }
  const stream = pino.destination({ dest: 1, sync: false, maxLength: LONGEST_BACKLOG });
  // stdout closed by its reader: the server goes on without a log.
  stream.on('error', () => undefined);
  const log: Log = pino(options(config), stream);
  return { log, flush: () => flushQuietly(stream), print: (text) => void stream.write(text) };
}

function options(config: Pick<Config, 'logLevel'>): LoggerOptions {
  return {
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    redact: { paths: ['headers.authorization', 'headers.cookie', 'headers["x-api-key"]'], censor: '[redacted]' },
  };
}

function flushQuietly(stream: { flushSync(): void }): void {
  try {
    stream.flushSync();
  } catch {
    // Nothing was written yet, or nobody reads any more: there is nothing left to save.
  }
}
