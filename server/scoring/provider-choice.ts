import { execFile, type ExecFileException } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import type { Provider } from '../config/execution-provider.ts';
import { gpuDevices } from '../system/gpu-devices.ts';
import { explain, type Checked } from './provider-findings.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What runs models in this server's workers, until it ends. */
export interface ProviderChoice {
  readonly provider: Provider;
  /** Values of CUDA_VISIBLE_DEVICES to pin workers with; empty: workers are not pinned. */
  readonly devices: readonly string[];
  /** Why it is not what would be preferred, or not on all devices; empty: it is. */
  readonly problems: readonly string[];
}

/** Asks a process with these variables whether a provider can be used. Tests bring their own. */
export type ProviderCheck = (provider: Provider, env: Variables, signal: AbortSignal) => Promise<Checked>;

interface Surroundings {
  readonly env: Variables;
  /** Ends the checks. */
  readonly signal: AbortSignal;
  readonly check?: ProviderCheck;
  /** Where /dev and /proc are. */
  readonly root?: string;
}

type Asked = Pick<Config, 'executionProvider' | 'cudaDeviceIds'>;

/**
 * Decides once, before the first worker, what runs models: each device is tried in a process of its own, pinned as its worker will be.
 * @throws ServerError provider_unavailable when the provider that was asked for cannot be used on each device that was asked for
 */
export async function chooseProvider(asked: Asked, around: Surroundings): Promise<ProviderChoice> {
  const { env, signal, check = askProcess, root = '/' } = around;
  if (asked.executionProvider === 'cpu') return { provider: 'cpu', devices: [], problems: [] };
  const provider = asked.executionProvider === 'auto' ? 'cuda' : asked.executionProvider;
  const strict = asked.executionProvider !== 'auto';
  const seen = gpuDevices(env, root);
  const absent = asked.cudaDeviceIds.filter((id) => id >= seen.visible.length);
  const problems = absent.length === 0 ? [] : [outOfRange(absent, seen.visible.length)];
  const wanted = asked.cudaDeviceIds.length === 0 ? seen.visible : asked.cudaDeviceIds.flatMap((id) => seen.visible[id] ?? []);
  // Where no device is seen a strict server tries all the same: the libraries may be missing too, and ONNX Runtime has the last word.
  const tried = wanted.length > 0 ? wanted : strict ? [undefined] : [];
  const results = await Promise.all(tried.map(async (device) => ({ device, checked: await check(provider, pinned(env, device), signal) })));
  const failed = results.filter(({ checked }) => checked.problem !== undefined);
  for (const { device, checked } of failed) {
    const name = device === undefined || tried.length === 1 ? '' : `device ${device}: `;
    problems.push(...explain(provider, checked).map((problem) => name + problem));
  }
  const usable = results.filter((result) => !failed.includes(result));
  if (usable.length === 0) problems.unshift(...seen.missing);
  if (strict && problems.length > 0) throw unavailable(provider, problems);
  return {
    provider: usable.length === 0 ? 'cpu' : provider,
    devices: usable.flatMap(({ device }) => device ?? []),
    problems: Array.from(new Set(problems)),
  };
}

/**
 * Variables of a process that uses one device: whatever opens a session there, an entry script's own code too, finds it as device 0.
 * @param device a value of CUDA_VISIBLE_DEVICES; undefined: as it is
 */
export function pinned(env: Variables, device: string | undefined): Variables {
  if (device === undefined) return env;
  // Without it CUDA counts the fastest device as 0, and numbers would not be those of nvidia-smi. The operator's own list was made without it.
  const order = env['CUDA_VISIBLE_DEVICES'] === undefined ? { CUDA_DEVICE_ORDER: env['CUDA_DEVICE_ORDER'] ?? 'PCI_BUS_ID' } : {};
  return { ...env, ...order, CUDA_VISIBLE_DEVICES: device };
}

function outOfRange(ids: readonly number[], count: number): string {
  const there = count === 0 ? 'none is' : count === 1 ? 'only device 0 is' : `only devices 0 to ${count - 1} are`;
  return `GPU device: CUDA_DEVICE_IDS asks for ${ids.length === 1 ? 'device' : 'devices'} ${ids.join(', ')}, but ${there} visible here.`;
}

function unavailable(provider: Provider, problems: readonly string[]): ServerError {
  const lines = Array.from(new Set(problems), (problem) => `\n  - ${problem}`).join('');
  return new ServerError(
    'provider_unavailable',
    `EXECUTION_PROVIDER=${provider} cannot be used, and this server falls back to the CPU only where EXECUTION_PROVIDER=auto asks for it. Missing:${lines}`,
  );
}

const CHECK_MAIN = fileURLToPath(new URL('../inference/main.ts', import.meta.url));
/** Of what a check prints; ONNX Runtime says little. */
const LONGEST_OUTPUT = 1024 * 1024;

const askProcess: ProviderCheck = (provider, env, signal) =>
  new Promise((resolve) => {
    const options = { env: { ...env, ORT_DISABLE_TELEMETRY: '1' }, signal, killSignal: 'SIGKILL', maxBuffer: LONGEST_OUTPUT } as const;
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      if (error === null) return resolve({ problem: problemIn(stdout, provider), stderr });
      const how = typeof error.signal === 'string' ? `was ended by signal ${error.signal}` : `failed: ${error.message}`;
      return resolve({ problem: `the process that tried ${provider} ${how}`, stderr });
    };
    try {
      execFile(process.execPath, ['--disable-sigusr1', CHECK_MAIN, provider], options, done);
    } catch (thrown) {
      resolve({ problem: `the process that tries ${provider} cannot be started: ${describeThrown(thrown)}`, stderr: '' });
    }
  });

/** What a check that ended well has found; undefined: nothing is wrong. */
function problemIn(stdout: string, provider: Provider): string | undefined {
  try {
    const { problem } = JSON.parse(stdout) as { problem: string | null };
    return problem ?? undefined;
  } catch {
    return `the process that tried ${provider} printed ${JSON.stringify(stdout.slice(0, 200))}, expected its findings as JSON`;
  }
}
