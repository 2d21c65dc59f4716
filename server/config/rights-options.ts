import { list, oneOf, option, type OptionRows, type Parser } from './option-values.ts';

/** Largest number of a user or group that Node takes. */
const MOST_ID = 2 ** 31 - 1;

/** `uid`, `uid:gid`, or a name as in /etc/passwd. */
const userText: Parser<string> = (value) => {
  const isName = /^[A-Za-z_][\w.-]*\$?$/.test(value);
  const isIds = /^\d+(?::\d+)?$/.test(value) && value.split(':').every((id) => Number(id) <= MOST_ID);
  if (!isName && !isIds) throw new Error(`expected uid, uid:gid (at most ${MOST_ID}) or the name of a user`);
  return value;
};

const absolutePaths: Parser<readonly string[]> = (value) => {
  const paths = list(value);
  if (!paths.every((path) => path.startsWith('/'))) throw new Error('expected absolute paths, comma-separated');
  return paths;
};

/** Options that decide what scripts may do: docs/rights.md. */
export const rightsOptions = {
  workerSecrets: option<readonly string[]>({
    env: ['WORKER_SECRETS'],
    default: [],
    parse: list,
    doc: 'Variables with secrets of the server that scripts get all the same, comma-separated. Unset: none.',
  }),
  workerUser: option({
    env: ['WORKER_USER'],
    default: '',
    parse: userText,
    doc: 'User of the workers: `uid`, `uid:gid`, or a name of `/etc/passwd`. The server must be root. Unset: its own user.',
  }),
  workerPermissionModel: option<'on' | 'off'>({
    env: ['WORKER_PERMISSION_MODEL'],
    default: 'off',
    parse: oneOf('on', 'off'),
    doc: "`on`: scripts read only the application and the temporary folder, and start no process (Node's permission model).",
  }),
  workerReadPaths: option<readonly string[]>({
    env: ['WORKER_READ_PATHS'],
    default: [],
    parse: absolutePaths,
    doc: 'More files and folders that scripts may read under `WORKER_PERMISSION_MODEL=on`, comma-separated.',
  }),
  workerWritePaths: option<readonly string[]>({
    env: ['WORKER_WRITE_PATHS'],
    default: [],
    parse: absolutePaths,
    doc: 'More files and folders that scripts may read and write under `WORKER_PERMISSION_MODEL=on`, comma-separated.',
  }),
} satisfies OptionRows;
