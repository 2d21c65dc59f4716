import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { ServerError } from '../errors.ts';
import type { Execution, Provider } from '../config/execution-provider.ts';
import { nameInProfile } from './execution-providers.ts';

/** Where the nodes of a model ran, by ONNX Runtime's own profile of one inference. */
export interface Placement {
  /** Nodes that ran on the provider that was asked for; copies between devices are not counted. */
  readonly onProvider: number;
  /** Nodes that ran on another provider. */
  readonly elsewhere: number;
  /** Operators of the latter, each once. */
  readonly operators: readonly string[];
}

/** A profile of a session, in a folder of its own, from its creation to `end`. */
export class Profile {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined where there is no folder for temporary files. */
  static async begin(): Promise<Profile | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'ort-profile-')).catch(() => undefined);
    return folder === undefined ? undefined : new Profile(folder);
  }

  /** For the session options. */
  get options(): Pick<InferenceSession.SessionOptions, 'enableProfiling' | 'profileFilePrefix'> {
    return { enableProfiling: true, profileFilePrefix: join(this.#folder, 'profile') };
  }

  /** Ends the profile of a session, and reads it. Undefined when no node ran, or the file could not be written. */
  async end(session: InferenceSession, provider: Provider): Promise<Placement | undefined> {
    session.endProfiling();
    // A session that was given up for another one has written a file too, without a node in it.
    for (const name of await readdir(this.#folder)) {
      const placement = readPlacement(await readFile(join(this.#folder, name), 'utf8'), provider);
      if (placement !== undefined) return placement;
    }
    return undefined;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface ProfileEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly provider?: string; readonly op_name?: string };
}

/** @param profile the file's text: a JSON array of trace events */
export function readPlacement(profile: string, provider: Provider): Placement | undefined {
  let events: readonly ProfileEvent[];
  try {
    events = JSON.parse(profile) as readonly ProfileEvent[];
  } catch {
    // Cut short, on a full disk: then nothing is known.
    return undefined;
  }
  const placed = new Map<string, { readonly here: boolean; readonly operator: string }>();
  for (const { cat, name, args } of events) {
    const { provider: where, op_name: operator = '' } = args ?? {};
    if (cat !== 'Node' || name === undefined || where === undefined || where === '' || operator.startsWith('Memcpy')) continue;
    placed.set(name, { here: where === nameInProfile[provider], operator });
  }
  const elsewhere = Array.from(placed.values()).filter(({ here }) => !here);
  if (placed.size === 0) return undefined;
  return {
    onProvider: placed.size - elsewhere.length,
    elsewhere: elsewhere.length,
    operators: Array.from(new Set(elsewhere.map(({ operator }) => operator))),
  };
}

/**
 * What may be told as the provider of a model. Nodes that are left to the CPU are usual: ONNX Runtime puts the arithmetic of shapes there
 * on purpose. A model of which nothing runs on the provider does not use it.
 * @throws ServerError provider_unavailable for such a model, where the provider was asked for strictly
 */
export function providerInUse(file: string, { provider, strict }: Execution, placement: Placement | undefined): Provider {
  if (placement === undefined || placement.onProvider > 0) return provider;
  if (!strict) return 'cpu';
  throw new ServerError(
    'provider_unavailable',
    `model ${file}: none of its ${placement.elsewhere} nodes runs on ${provider}, which has no kernels for ${placement.operators.join(', ')}. ` +
      'Serve it with EXECUTION_PROVIDER=cpu (or auto).',
  );
}
