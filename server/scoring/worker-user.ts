import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import { changeableBy, changeableWithin, findUser, missingCapabilities, type User } from '../system/users.ts';

interface UserSurroundings {
  /** Of this process; undefined: the system has none. */
  readonly uid?: number | undefined;
  /** What this process loads its code from. */
  readonly code?: readonly string[];
  readonly missing?: readonly string[];
  /** Folders that this process writes to. */
  readonly written?: readonly string[];
}

/**
 * The user of the workers by the options; undefined: that of this process.
 * @throws ServerError usage where it cannot be, or could change what this process runs
 */
export function workerUser({ workerUser: text }: Pick<Config, 'workerUser'>, around: UserSurroundings = {}): User | undefined {
  if (text === '') return undefined;
  const { uid = process.geteuid?.(), code = codeOfHost(), missing = missingCapabilities(), written = [] } = around;
  if (uid !== 0)
    throw usage(
      `expected a server that runs as root, got uid ${uid ?? 'unknown'}. Start it as root (docker run --user 0, runAsUser: 0), or leave the option out`,
    );
  const user = findUser(text);
  if (user === undefined) throw usage(`expected a uid, uid:gid or a name of /etc/passwd, got ${JSON.stringify(text)}`);
  if (user.uid === uid) throw usage(`expected a user other than root, got ${JSON.stringify(text)}`);
  if (missing.length > 0)
    throw usage(
      `expected the capabilities ${missing.join(', ')}, which this server lacks. Add them (docker run --cap-add, capabilities.add)`,
    );
  refuseChanges(user, code, written);
  return user;
}

function refuseChanges(user: User, code: readonly string[], written: readonly string[]): void {
  const who = `${user.uid}:${user.gid}`;
  const [source] = code.flatMap((path) => changeableWithin(user, path) ?? []);
  if (source !== undefined)
    throw usage(
      `expected a user that cannot change the server's own code, but ${who} can change ${source}. Give that to root, or name another user`,
    );
  // A link in such a folder would let root write or remove any file.
  const [place] = written.flatMap((path) => changeableBy(user, path) ?? []);
  if (place !== undefined)
    throw usage(
      `expected a user that cannot change where the server writes collected data, but ${who} can change ${place}. Make a folder of root's for MDC_DIR and MDC_SPILL_DIR, or name another user`,
    );
}

function codeOfHost(): string[] {
  const own = ['..', '../../package.json', '../../node_modules'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return [...own, process.execPath, getCompileCacheDir() ?? []].flat();
}

function usage(problem: string): ServerError {
  return new ServerError('usage', `WORKER_USER: ${problem}.`);
}
