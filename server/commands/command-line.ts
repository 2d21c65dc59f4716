import type { HostProcess } from '../host/host-server.ts';
import { serve } from './serve.ts';

/**
 * A command.
 * @param args those behind its name
 */
type Command = (host: HostProcess, args: readonly string[]) => Promise<void>;

interface CommandRow {
  readonly name: string;
  /** One line, for `--help`. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** The commands besides `serve`, one file each. Each is loaded by its name. */
const commands: readonly CommandRow[] = [
  {
    name: 'iot-edge',
    summary: 'a module of IoT Edge: scores the messages of an input',
    load: async () => (await import('./iot-edge.ts')).iotEdge,
  },
];

/** The command line: the command that its first word names, or the server. */
export async function main(host: HostProcess): Promise<void> {
  const [, , name, ...args] = host.argv;
  const row = commands.find((each) => each.name === name);
  if (row === undefined) return serve(host);
  const command = await row.load();
  await command(host, args);
}
