import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import { changeableBy, findUser, missingCapabilities, type User } from '../system/users.ts';

interface UserSurroundings {
  /** Of this process; undefined: the system has none. */
  readonly uid?: number | undefined;
  /** What this process loads its code from. */
  readonly code?: readonly string[];
  readonly missing?: readonly string[];
}

/**
 * The user of the workers by the options; undefined: that of this process.
 * @throws ServerError usage where it cannot be, or could change what this process runs
 */
export function workerUser({ workerUser: text }: Pick<Config, 'workerUser'>, around: UserSurroundings = {}): User | undefined {
  if (text === '') return undefined;
  const { uid = process.geteuid?.(), code = codeOfHost(), missing = missingCapabilities() } = around;
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
  const changeable = code.map((path) => changeableBy(user, path)).find((path) => path !== undefined);
  if (changeable !== undefined)
    throw usage(
      `expected a user that cannot change the server's own code, but ${user.uid}:${user.gid} can change ${changeable}. Give that to root, or name another user`,
    );
  return user;
}

function codeOfHost(): string[] {
  const own = ['..', '../../package.json', '../../node_modules'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return [...own, process.execPath, getCompileCacheDir() ?? []].flat();
}

function usage(problem: string): ServerError {
  return new ServerError('usage', `WORKER_USER: ${problem}.`);
}
