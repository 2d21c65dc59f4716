import { ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import type { WorkerSpec } from './worker-process.ts';

interface Spawned {
  readonly child: ChildProcess;
  /** The socketpair on the child's fd 3; closed where there is no child. */
  readonly pipe: Duplex;
}

/**
 * Starts a worker process as the leader of a process group, so that processes of its script end
 * with it. Never throws: a process that cannot be started (no descriptor, no process, no memory)
 * has no pid, and emits `error`.
 * @param markFd file that becomes its fd 4: ipc/README.md
 */
export function spawnWorker({ command: [file, ...args], cwd, env, user }: WorkerSpec, markFd?: number): Spawned {
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', markFd ?? 'ignore'],
      detached: true,
      // Without the supplementary groups of this process.
      ...(user !== undefined && { uid: user.uid, gid: user.gid }),
    });
  } catch (thrown) {
    // Node throws some reasons and emits others.
    child = new ChildProcess();
    process.nextTick(() => child.emit('error', thrown));
  }
  // Where descriptors are used up, Node leaves these undefined.
  if (child.pid === undefined) Object.assign(child, { stdout: child.stdout ?? null, stderr: child.stderr ?? null });
  const pipe = (child.stdio as ChildProcess['stdio'] | undefined)?.[3];
  return { child, pipe: pipe instanceof Duplex ? pipe : new Duplex({ read: () => undefined }).destroy() };
}

/**
 * Kills a worker and its process group. A process with a session of its own (`setsid`) is out of
 * reach.
 */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty.
  }
}
