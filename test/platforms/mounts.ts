import { spawnSync } from 'node:child_process';
import { folder } from '../set-up/folder.ts';

/** Why no folder can be mounted here; undefined: one can. */
export function whyNoMounts(): string | undefined {
  const tried = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt && chroot / true']);
  return tried.status === 0 ? undefined : 'needs the right to mount, and chroot';
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * Shell commands after which a server sees folders at other absolute paths, as platforms mount
 * them. Nobody else sees them: the server has a root of its own, of all that is there.
 * @param folders by the path where the server sees them
 */
export function mounted(folders: Readonly<Record<string, string>>, cwd: string): string {
  const lines = [
    'set -e',
    `root=${quoted(folder())}`,
    // The mounts end with the last process that sees them.
    'mount -t tmpfs none "$root"',
    'for each in /*; do',
    '  if [ -L "$each" ]; then cp -a "$each" "$root/"',
    '  elif [ -d "$each" ]; then mkdir "$root$each" && mount --rbind "$each" "$root$each"; fi',
    'done',
    // A tmpfs hides what lies beside the folders.
    ...Array.from(new Set(Object.keys(folders).map(top)), (each) => `mkdir -p ${each} && mount -t tmpfs none ${each}`),
    ...Object.entries(folders).map(
      ([path, from]) => `mkdir -p "$root"${quoted(path)} && mount --rbind ${quoted(from)} "$root"${quoted(path)}`,
    ),
    `exec chroot "$root" sh -c 'cd "$0" && exec "$@"' ${quoted(cwd)} "$@"`,
  ];
  return `exec unshare --mount sh -c ${quoted(lines.join('\n'))} sh "$@"`;
}

/** The first folder of a path, which may be missing. */
const top = (path: string): string => `"$root"${quoted(`/${path.split('/')[1] ?? ''}`)}`;
