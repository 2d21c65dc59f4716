import { readConfig, type ServeCommand } from '../config/read-config.ts';
import { type CommandDoc, helpText } from '../config/usage.ts';
import type { HostProcess } from '../host/host-server.ts';
import { serveUntilSignal } from '../host/serve.ts';
import { VERSION } from '../host/serving-plan.ts';
import { refuseStart } from './refuse-start.ts';

/**
 * Help, version, or a server until a signal ends it.
 * @param commands for the help
 */
export async function serve(host: HostProcess, commands: readonly CommandDoc[]): Promise<void> {
  let command: ReturnType<typeof readConfig>;
  try {
    command = readConfig({ argv: host.argv.slice(2), env: host.env, cwd: host.cwd() });
  } catch (thrown) {
    return refuseStart(host, thrown);
  }
  if (command.kind === 'serve') await serveUntilSignal(host, { ...command, warnings: [...command.warnings, ...otherCommand(command)] });
  else host.stdout.write(command.kind === 'help' ? helpText(commands) : `${VERSION}\n`);
}

/** Warns where the platform sends what `serve` does not take. */
function otherCommand({ profile: { platform } }: ServeCommand): string[] {
  const { command, title } = platform;
  return command === undefined ? [] : [`this server only listens on its ports: for messages of ${title} give it the command ${command}`];
}
