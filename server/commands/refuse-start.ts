import { toServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import type { HostProcess } from '../host/host-server.ts';

/** Says on stderr why a command does not start, and exits with the code of the failure. */
export function refuseStart(host: HostProcess, thrown: unknown, command = 'scoring-server'): void {
  const error = toServerError(thrown);
  host.stderr.write(`${command} cannot start:\n  ${withoutKeys(error.message).replaceAll('\n', '\n  ')}\n`);
  host.exit(error.failure.exitCode ?? 1);
}
