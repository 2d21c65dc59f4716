import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';

/** Keeps a list of process ids, and kills those that are left when its stdin closes. */
const PROGRAM = `
pids=' '
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done 2> /dev/null`;

// Why a process: the kernel closes the pipe however the test process ends, by SIGKILL too.
// Detached, since Ctrl+C must not end it.
const reaper = spawn('sh', ['-c', PROGRAM], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
reaper.unref();
reaper.stdin.on('error', () => undefined);
(reaper.stdin as Socket).unref();

/** A child that ends with the test process at the latest. */
export function reaped<T extends ChildProcess>(child: T): T {
  if (child.pid === undefined) return child;
  reaper.stdin.write(`+ ${child.pid}\n`);
  child.once('exit', () => reaper.stdin.write(`- ${child.pid}\n`));
  return child;
}
