import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { ServerError } from '../errors.ts';
import type { Execution, Provider } from '../config/execution-provider.ts';
import { providers } from './execution-providers.ts';

/** Counts of a model's nodes by provider, from ONNX Runtime's profile of one inference. */
export interface Placement {
  /** Nodes that ran on the requested provider, without copies between devices. */
  readonly onProvider: number;
  /** Nodes that ran on another provider. */
  readonly elsewhere: number;
  /** Operators of the nodes elsewhere, each once. */
  readonly operators: readonly string[];
}

/** A profile of a session, in a folder of its own, from the creation of the session to `end`. */
export class Profile {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined if no temporary folder can be made. */
  static async begin(): Promise<Profile | undefined> {
    const folder = await mkdtemp(join(tmpdir(), 'ort-profile-')).catch(() => undefined);
    return folder === undefined ? undefined : new Profile(folder);
  }

  /** For the session options. */
  get options(): Pick<InferenceSession.SessionOptions, 'enableProfiling' | 'profileFilePrefix'> {
    return { enableProfiling: true, profileFilePrefix: join(this.#folder, 'profile') };
  }

  /**
   * Ends the profile of a session and reads it. Undefined if no node ran, or the file could not be
   * written.
   */
  async end(session: Pick<InferenceSession, 'endProfiling'>, provider: Provider): Promise<Placement | undefined> {
    session.endProfiling();
    // A session that was replaced has written a file too, without nodes.
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

/**
 * Counts nodes by provider from the events of a profile.
 * @param profile the file's text: a JSON array of trace events
 */
export function readPlacement(profile: string, provider: Provider): Placement | undefined {
  let events: unknown;
  try {
    events = JSON.parse(profile);
  } catch {
    // A full disk cuts the file short.
    return undefined;
  }
  const placed = new Map<string, { readonly here: boolean; readonly operator: string }>();
  for (const event of Array.isArray(events) ? events : []) {
    const [name, args] = [member(event, 'name'), member(event, 'args')];
    const [where, operator = ''] = [member(args, 'provider'), member(args, 'op_name')];
    if (member(event, 'cat') !== 'Node' || typeof name !== 'string' || typeof where !== 'string' || typeof operator !== 'string') continue;
    if (where === '' || operator.startsWith('Memcpy')) continue;
    placed.set(name, { here: where === providers[provider].nameInProfile, operator });
  }
  const elsewhere = Array.from(placed.values()).filter(({ here }) => !here);
  if (placed.size === 0) return undefined;
  return {
    onProvider: placed.size - elsewhere.length,
    elsewhere: elsewhere.length,
    operators: Array.from(new Set(elsewhere.map(({ operator }) => operator))),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/**
 * The provider that a model really uses. Some nodes on the CPU are usual, because ONNX Runtime
 * computes shapes there. A model without a node on its provider does not use it.
 * @throws ServerError provider_unavailable for such a model, if the provider is strict
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
