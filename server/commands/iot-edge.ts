import { readConfig } from '../config/read-config.ts';
import { helpText } from '../config/usage.ts';
import { ServerError, toServerError } from '../errors.ts';
import type { HostProcess } from '../host/host-server.ts';
import { serveUntilSignal } from '../host/serve.ts';
import { VERSION } from '../host/serving-plan.ts';
import { EdgeDoor, type EdgeOptions } from '../iot-edge/edge-door.ts';
import { checkEnvironment, loadSdk } from '../iot-edge/sdk.ts';

/** Where docker/iot-edge.Dockerfile puts the SDK. */
const SDK = '/opt/iot-edge';

/** The flags of this command. All others are those of `serve`. */
const FLAGS = {
  input: { default: 'amlInput', form: /^[\w.-]{1,128}$/, expected: 'the name of an input: letters, digits, dots, dashes' },
  output: { default: 'amlOutput', form: /^[\w.-]{1,128}$/, expected: 'the name of an output: letters, digits, dots, dashes' },
  'read-ahead': { default: '0', form: /^\d{1,4}$/, expected: 'a whole number from 0 to 9999' },
  sdk: { default: SDK, form: /./, expected: 'a folder with node_modules of the SDK' },
} as const;
type Flag = keyof typeof FLAGS;

const HELP = `Usage: node server/main.ts iot-edge [--input NAME] [--output NAME] [--read-ahead N] [--sdk FOLDER] [flags]

A module of IoT Edge: scores the messages of an input, and sends the answers to an output.
Its HTTP port serves probes and /metrics beside that. docs/iot-edge.md has the whole of it.

  --input NAME (default amlInput)
  --output NAME (default amlOutput)
  --read-ahead N (default 0)
      Messages that edgeHub need not keep until they are answered: faster, and lost if the
      container is killed.
  --sdk FOLDER (default ${SDK})
      Where node_modules has azure-iot-device and azure-iot-device-mqtt.

The flags of the server:

`;

/** A server for messages of IoT Edge until a signal ends it. */
export async function iotEdge(host: HostProcess, args: readonly string[]): Promise<void> {
  try {
    const { values, rest } = ownFlags(args);
    const command = readConfig({ argv: rest, env: host.env, cwd: host.cwd() });
    if (command.kind !== 'serve') return void host.stdout.write(command.kind === 'help' ? HELP + helpText() : `${VERSION}\n`);
    checkEnvironment(host.env);
    const sdk = loadSdk(values.sdk);
    const options: EdgeOptions = {
      input: values.input,
      output: values.output,
      readAhead: Number(values['read-ahead']),
      most: Math.max(1, command.config.queueMaxRequests),
    };
    await serveUntilSignal(host, command, (parts) => new EdgeDoor(sdk, options, parts));
  } catch (thrown) {
    const error = toServerError(thrown);
    host.stderr.write(`scoring-server cannot start:\n  ${error.message.replaceAll('\n', '\n  ')}\n`);
    host.exit(error.failure.exitCode ?? 1);
  }
}

/** Takes the flags of this command out of the arguments. @throws ServerError usage */
function ownFlags(args: readonly string[]): { readonly values: Record<Flag, string>; readonly rest: readonly string[] } {
  const values: Record<Flag, string> = {
    input: FLAGS.input.default,
    output: FLAGS.output.default,
    'read-ahead': FLAGS['read-ahead'].default,
    sdk: FLAGS.sdk.default,
  };
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [, name = '', inline] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const flag = name.replaceAll('_', '-');
    if (!isFlag(flag)) {
      rest.push(arg);
      continue;
    }
    const value = inline ?? args[++index] ?? '';
    const { form, expected } = FLAGS[flag];
    if (!form.test(value)) throw new ServerError('usage', `--${flag}: expected ${expected}, got ${JSON.stringify(value)}`);
    values[flag] = value;
  }
  return { values, rest };
}

function isFlag(name: string): name is Flag {
  return Object.hasOwn(FLAGS, name);
}
