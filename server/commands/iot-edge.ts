import { readConfig } from '../config/read-config.ts';
import { helpText } from '../config/usage.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { HostProcess } from '../host/host-server.ts';
import { serveUntilSignal } from '../host/serve.ts';
import { VERSION } from '../host/serving-plan.ts';
import { EdgeDoor, type EdgeOptions } from '../iot-edge/edge-door.ts';
import { checkEnvironment, loadSdk } from '../iot-edge/sdk.ts';
import { commandHelp, type GivenFlags, takeFlags } from './flags.ts';
import { refuseStart } from './refuse-start.ts';

/** Where docker/iot-edge.Dockerfile puts the SDK. */
const SDK = '/opt/iot-edge';

const NAME = { form: /^[\w.-]{1,128}$/, expected: 'a name of letters, digits, dots and dashes' };

/** The flags of this command. All others are those of `serve`. */
const FLAGS = {
  input: { ...NAME, value: 'NAME', default: 'amlInput', doc: 'The input whose messages are scored (default amlInput).' },
  output: { ...NAME, value: 'NAME', default: 'amlOutput', doc: 'The output of the answers (default amlOutput).' },
  'read-ahead': {
    value: 'N',
    default: '0',
    form: /^\d{1,4}$/,
    expected: 'a whole number from 0 to 9999',
    doc: `Messages that edgeHub need not keep until they are answered: faster, and lost if the
      container is killed (default 0).`,
  },
  sdk: {
    value: 'FOLDER',
    default: SDK,
    form: /./,
    expected: 'a folder with node_modules of the SDK',
    doc: `Where node_modules has azure-iot-device and azure-iot-device-mqtt
      (default ${SDK}).`,
  },
} as const;

const USAGE = 'node server/main.ts iot-edge [--input NAME] [--output NAME] [--read-ahead N] [--sdk FOLDER] [flags]';
const ABOUT = `A module of IoT Edge: scores the messages of an input, and sends the answers to an output.
Its HTTP port serves probes and /metrics beside that. docs/iot-edge.md has the whole of it.`;

/** A server for messages of IoT Edge until a signal ends it. */
export async function iotEdge(host: HostProcess, args: readonly string[]): Promise<void> {
  try {
    const { given, rest, help } = takeFlags(FLAGS, args);
    if (help) return void host.stdout.write(`${commandHelp(USAGE, ABOUT, FLAGS)}\nThe flags of the server:\n\n${helpText()}`);
    const values = valuesOf(given);
    const command = readConfig({ argv: rest, env: host.env, cwd: host.cwd() });
    if (command.kind !== 'serve') return void host.stdout.write(`${VERSION}\n`);
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
    refuseStart(host, thrown, 'scoring-server iot-edge');
  }
}

/** The values of the flags, checked. @throws ServerError usage, with a line for each wrong one */
function valuesOf(given: GivenFlags<keyof typeof FLAGS>): Record<keyof typeof FLAGS, string> {
  const problems: string[] = [];
  const valueOf = (name: keyof typeof FLAGS): string => {
    const { default: usual, form, expected } = FLAGS[name];
    const value = given.get(name) ?? usual;
    if (!form.test(value)) problems.push(`--${name}: expected ${expected}, got ${JSON.stringify(excerpt(value))}`);
    return value;
  };
  const values = { input: valueOf('input'), output: valueOf('output'), 'read-ahead': valueOf('read-ahead'), sdk: valueOf('sdk') };
  if (problems.length > 0) throw new ServerError('usage', problems.join('\n'));
  return values;
}
