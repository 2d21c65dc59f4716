import { execFile, type ExecFileException } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Provider } from '../config/execution-provider.ts';
import { describeThrown, ServerError } from '../errors.ts';
import type { Variables } from '../system/gpu-devices.ts';
import { withoutPreloads } from '../system/own-thread.ts';
import type { User } from '../system/users.ts';
import type { Checked } from './provider-findings.ts';
import { hardwareOf } from './provider-hardware.ts';

/** The execution provider of this server's workers, for as long as it runs. */
export interface ProviderChoice {
  readonly provider: Provider;
  /**
   * Devices to pin workers to, by the values of CUDA_VISIBLE_DEVICES; empty: workers are not
   * pinned.
   */
  readonly devices: readonly string[];
  /** Why the preferred provider is not used, or not on all devices; empty: it is. */
  readonly problems: readonly string[];
}

/** Tries a provider in a process with these variables. Tests bring their own. */
export type ProviderCheck = (provider: Provider, env: Variables, signal: AbortSignal) => Promise<Checked>;

interface CheckSurroundings {
  readonly env: Variables;
  /** Ends the checks. */
  readonly signal: AbortSignal;
  /** User of the checks; undefined: that of this process. */
  readonly user?: User | undefined;
  readonly check?: ProviderCheck;
  /** The script runs its models itself: devices are counted, and nothing is tried. */
  readonly counted?: boolean;
  /** Where /dev and /proc are. */
  readonly root?: string;
}

type Asked = Pick<Config, 'executionProvider' | 'cudaDeviceIds'>;

/** The provider that `auto` prefers to the CPU. */
const PREFERRED: Provider = 'cuda';
const NOT_TRIED: ProviderCheck = () => Promise.resolve({ problem: undefined, stderr: '' });

/**
 * Decides once, before the first worker: each device is tried in a process of its own, pinned as
 * its worker will be. Why not for a script in Python: it brings an ONNX Runtime of its own.
 * @throws ServerError provider_unavailable when the provider that was asked for cannot be used on
 * each device that was asked for
 */
export async function chooseProvider(asked: Asked, around: CheckSurroundings): Promise<ProviderChoice> {
  const { env, signal, counted = false, check = counted ? NOT_TRIED : checkInProcess(around.user), root = '/' } = around;
  const strict = asked.executionProvider !== 'auto';
  const provider = asked.executionProvider === 'auto' ? PREFERRED : asked.executionProvider;
  const hardware = hardwareOf(provider);
  if (hardware === undefined) return { provider, devices: [], problems: [] };
  const seen = hardware.devices(env, root);
  const absent = asked.cudaDeviceIds.filter((id) => id >= seen.visible.length);
  const problems = absent.length === 0 ? [] : [outOfRange(absent, seen.visible.length)];
  const named = asked.cudaDeviceIds.length === 0 ? seen.visible : asked.cudaDeviceIds.flatMap((id) => seen.visible[id] ?? []);
  // Where nothing is tried, a missing driver hides the devices that a variable names.
  const wanted = counted && seen.missing.length > 0 ? [] : named;
  // A strict server tries without a device, too: libraries may be missing as well, and ONNX Runtime
  // has the last word.
  const tried = wanted.length > 0 ? wanted : strict && !counted ? [undefined] : [];
  const results = await Promise.all(
    tried.map(async (device) => ({ device, checked: await check(provider, hardware.pinned(env, device), signal) })),
  );
  const failed = results.filter(({ checked }) => checked.problem !== undefined);
  for (const { device, checked } of failed) {
    const name = device === undefined || tried.length === 1 ? '' : `device ${device}: `;
    problems.push(...hardware.explain(provider, checked).map((problem) => name + problem));
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
/** Output of a check is short: ONNX Runtime prints a few lines. */
const LONGEST_OUTPUT = 1024 * 1024;

const checkInProcess =
  (user: User | undefined): ProviderCheck =>
  (provider, env, signal) =>
    new Promise((resolve) => {
      const options = {
        env: withoutPreloads({ ...env, ORT_DISABLE_TELEMETRY: '1' }),
        signal,
        killSignal: 'SIGKILL',
        maxBuffer: LONGEST_OUTPUT,
        ...(user !== undefined && { uid: user.uid, gid: user.gid }),
      } as const;
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

/** The problem that a check has found; undefined: none. */
function problemIn(stdout: string, provider: Provider): string | undefined {
  const problem = parsed(stdout);
  if (problem === null) return undefined;
  return problem ?? `the process that tried ${provider} printed ${JSON.stringify(stdout.slice(0, 200))}, expected its findings as JSON`;
}

/** The member `problem` of JSON; undefined: there is none of that form. */
function parsed(stdout: string): string | null | undefined {
  try {
    const findings: unknown = JSON.parse(stdout);
    if (typeof findings !== 'object' || findings === null || !('problem' in findings)) return undefined;
    const { problem } = findings;
    return typeof problem === 'string' || problem === null ? problem : undefined;
  } catch {
    return undefined;
  }
}
