import { execFile, type ExecFileException } from 'node:child_process';
import { describeThrown, ServerError } from '../errors.ts';
import { cutText } from '../guards/output-lines.ts';
import { isForOtherVersion } from '../system/python-environments.ts';
import type { User } from '../system/users.ts';
import { cureOf, type Interpreter, OPTION } from './python-interpreter.ts';

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Undefined: the user of this process. */
  readonly user?: User | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; tests bring their own. */
  readonly limitMs?: number;
}

/** The oldest version that runs the worker. */
const OLDEST = [3, 10] as const;
/** An interpreter on a cold disk answers within a second. */
const LIMIT_MS = 20_000;
const MOST_OUTPUT_BYTES = 64 * 1024;
/** Characters of its output in an error. */
const LONGEST_REASON = 500;
/** Interpreters of each age understand it. */
const QUESTION = 'import sys; sys.stdout.write("%d.%d.%d" % tuple(sys.version_info[:3]))';

/**
 * Runs an interpreter, as its workers will, for its version. Why: one that cannot run here is told
 * in one line before the first worker.
 * @returns as 3.12.1
 * @throws ServerError usage, script_broken
 */
export async function pythonVersion(interpreter: Interpreter, around: Surroundings): Promise<string> {
  const { path, environment } = interpreter;
  const answer = await ask(interpreter, around);
  const [, version, major, minor] = /^((\d+)\.(\d+)\.\d+)$/.exec(answer) ?? [];
  if (version === undefined) throw unfit(interpreter, `${path} is no Python: it does not answer with its version`);
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]))
    throw unfit(interpreter, `${path} is Python ${version}, and entry scripts need Python ${OLDEST.join('.')} or later`);
  if (environment !== undefined && isForOtherVersion(environment, version))
    throw unfit(interpreter, `${environment.folder} was made for another version of Python than ${version}, which ${path} is`);
  return version;
}

/** What the interpreter writes. @throws ServerError */
async function ask(interpreter: Interpreter, { env, user, signal, limitMs = LIMIT_MS }: Surroundings): Promise<string> {
  const options = {
    env,
    cwd: '/',
    signal,
    timeout: limitMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: MOST_OUTPUT_BYTES,
    ...(user !== undefined && { uid: user.uid, gid: user.gid }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  try {
    execFile(interpreter.path, ['-S', '-c', QUESTION], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const how = howItEnded(error, limitMs);
      const whose = user === undefined ? '' : ` for user ${user.uid}:${user.gid} of WORKER_USER`;
      reject(unfit(interpreter, `${interpreter.path} cannot be run here${whose} (${how})${reasonIn(stderr)}`, error));
    });
  } catch (thrown) {
    // Node throws some reasons and emits others.
    reject(unfit(interpreter, `${interpreter.path} cannot be run here (${describeThrown(thrown)})`, thrown));
  }
  return promise;
}

/** Why not Node's message: it repeats the command. */
function howItEnded({ code, signal, killed }: ExecFileException, limitMs: number): string {
  // The file itself was there before.
  if (code === 'ENOENT') return 'ENOENT: what runs it, its loader or the program of its first line, is not here';
  if (typeof code === 'string') return code;
  if (killed === true) return `no answer within ${limitMs} ms`;
  return signal ? `signal ${signal}` : `exit code ${code ?? 'unknown'}`;
}

/** The line of an output that names the error. */
function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const line = lines.find((each) => /error|cannot|not found/i.test(each)) ?? lines.findLast((each) => each !== '');
  return line === undefined ? '' : `: ${cutText(line, LONGEST_REASON)}`;
}

/** @param why without a full stop */
function unfit({ named, environment }: Interpreter, why: string, cause?: unknown): ServerError {
  const cure = environment === undefined ? `Install Python ${OLDEST.join('.')} or later, or name one with ${OPTION}.` : cureOf(environment);
  return new ServerError(named ? 'usage' : 'script_broken', `${named ? `${OPTION}: ` : ''}${why}. ${cure}`, { cause });
}
