import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../../e2e/start-server.ts';
import { python, whyNoPython } from '../../set-up/python.ts';
import { exchange, type Call } from './exchange.ts';
import { Peer } from './peer.ts';
import { seenIn, type Seen } from './seen.ts';

export const SCRIPTS = fileURLToPath(new URL('scripts/', import.meta.url));
const PEER = fileURLToPath(new URL('../peer/', import.meta.url));
const PLAIN = fileURLToPath(new URL('../plain/', import.meta.url));

/** A difference that the product wants: what each server answers there. */
export interface Difference {
  readonly because: string;
  /** Members of what is seen. One that only the other names is absent in this answer. */
  readonly peer: Seen;
  readonly ours: Seen;
  /** What ours answers beside the peer's packages, where their code makes it something else. */
  readonly beside?: Seen;
}

export interface Case extends Call {
  readonly name: string;
  readonly differs?: Difference;
  /** What both answer, where equality alone says too little. */
  readonly both?: Seen;
}

export interface Subject {
  /** A file of scripts/. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ours runs the script also, or only, where the peer's packages are installed. */
  readonly besidePeersPackages?: true;
  readonly onlyBesidePeersPackages?: true;
}

/** Why the contract cannot be compared here; false: it can. */
export const skip = whyNoPython() ?? false;

/** Python environments of the two servers. */
export async function pythons(): Promise<{ readonly peer: string; readonly plain: string }> {
  const [peer, plain] = await Promise.all([python(PEER), python(PLAIN)]);
  return { peer, plain };
}

/** Our server with a script of scripts/. */
export function startOurs(script: string, interpreter: string, env: Readonly<Record<string, string>> = {}): ServerProcess {
  return new ServerProcess(['--entry-script', script], {
    cwd: SCRIPTS,
    env: { SCORING_PROFILE: 'azureml', AZUREML_INFERENCE_PYTHON_PATH: interpreter, PYTHONDONTWRITEBYTECODE: '1', ...env },
  });
}

/** Sends each case to a script under Azure's server and under ours, and compares the answers. */
export function contract(title: string, subject: Subject, cases: readonly Case[]): void {
  describe(title, { skip }, () => {
    const pair = new Pair(subject);
    before(() => pair.start());
    after(() => pair.stop());
    for (const each of cases) it(each.name, () => pair.compare(each));
  });
}

/** The servers of one subject. */
class Pair {
  readonly #subject: Subject;
  #peer: Peer | undefined;
  #ours: ServerProcess[] = [];
  /** For each server of ours: it runs beside the peer's packages. */
  #besides: boolean[] = [];

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  async start(): Promise<void> {
    const { script, env, besidePeersPackages, onlyBesidePeersPackages } = this.#subject;
    const { peer, plain } = await pythons();
    this.#peer = await Peer.start(script, { python: peer, cwd: SCRIPTS, ...(env === undefined ? {} : { env }) });
    const beside = besidePeersPackages === true || onlyBesidePeersPackages === true;
    const interpreters = [...(onlyBesidePeersPackages === true ? [] : [plain]), ...(beside ? [peer] : [])];
    this.#besides = interpreters.map((interpreter) => interpreter === peer);
    this.#ours = interpreters.map((interpreter) => startOurs(script, interpreter, env));
    await Promise.all([this.#peer.ready(), ...this.#ours.map((ours) => ours.ready())]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#peer?.stop(), ...this.#ours.map((ours) => ours.stop())]);
  }

  async compare(each: Case): Promise<void> {
    const [peer, ...ours] = await Promise.all(
      [this.#peer!.port, ...this.#ours.map((server) => server.port())].map((port) => see(port, each)),
    );
    if (process.env['SHOW_ANSWERS'] !== undefined) console.log(JSON.stringify({ case: each.name, peer, ours }));
    for (const [index, seen] of ours.entries()) {
      const beside = this.#besides[index]!;
      const expected = each.differs === undefined ? undefined : beside ? (each.differs.beside ?? each.differs.ours) : each.differs.ours;
      check(peer!, seen, each, expected, beside ? "ours beside the peer's packages" : 'ours');
    }
  }
}

async function see(port: Promise<number> | number, call: Call): Promise<Seen> {
  return seenIn(await exchange(await port, call), call);
}

function check(peer: Seen, ours: Seen, { differs, both }: Case, expected: Seen | undefined, whose: string): void {
  const names = new Set(Object.keys({ ...differs?.peer, ...differs?.ours }));
  const rest = (seen: Seen): Seen => Object.fromEntries(Object.entries(seen).filter(([name]) => !names.has(name)));
  const named = (seen: Seen): Seen =>
    Object.fromEntries(Object.entries(seen).filter(([name, value]) => names.has(name) && value !== undefined));
  // The peer first: what it does is fixed.
  for (const [name, value] of Object.entries(both ?? {})) assert.deepEqual(peer[name], value, `${name} of the peer`);
  if (differs !== undefined) {
    assert.deepEqual(named(peer), differs.peer, 'the peer is not as the difference says');
    assert.notDeepEqual(differs.ours, differs.peer, 'the case names a difference that is none');
  }
  assert.deepEqual(rest(ours), rest(peer), `${whose} (first) and the peer (second) differ`);
  if (expected !== undefined) assert.deepEqual(named(ours), expected, `${whose}: not as the difference says`);
}
