import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BIN = join(ROOT, 'node_modules/.bin');

/** The entries of the package. The second imports types of the first. */
const ENTRIES = { index: 'server/worker/script/exports.ts', testing: 'server/worker/script/testing.ts' };
type Entry = keyof typeof ENTRIES;

/** Why the reference: `tsc --init` writes `types: []`, so that nothing else names Node's types. */
const HEAD = '// Made from the code: UPDATE_DOCS=1 npm test writes it.\n/// <reference types="node" />\n';

/** A file as the compiler declares it: the text of each name, and where it has the others from. */
interface Declarations {
  readonly own: ReadonlyMap<string, string>;
  readonly exported: ReadonlySet<string>;
  readonly from: ReadonlyMap<string, string>;
  /** Files whose exports are all exported. */
  readonly all: readonly string[];
}

/** The types that the package exports, a file an entry. They need no other file of the server. */
export function packageDeclarations(): Record<Entry, string> {
  const folder = mkdtempSync(join(tmpdir(), 'declarations-'));
  try {
    const settings =
      '--noEmit false --declaration --emitDeclarationOnly --target esnext --module nodenext --lib esnext --types node --strict';
    const flags = `${settings} --exactOptionalPropertyTypes --allowImportingTsExtensions --resolveJsonModule --skipLibCheck`.split(' ');
    const files = Object.values(ENTRIES);
    execFileSync(join(BIN, 'tsc'), ['--ignoreConfig', ...flags, '--rootDir', ROOT, '--outDir', folder, ...files], { cwd: ROOT });
    const emitted = new Emitted(folder);
    const shared = emitted.exportsOf(ENTRIES.index);
    return { index: fileOf(emitted.reachedFrom(ENTRIES.index)), testing: fileOf(emitted.reachedFrom(ENTRIES.testing, shared)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The declarations of an entry. */
interface Reached {
  readonly own: ReadonlyMap<string, { readonly text: string; readonly exported: boolean }>;
  /** Names from the first entry. */
  readonly imported: ReadonlySet<string>;
}

/** The compiler's declarations of all files. */
class Emitted {
  readonly #folder: string;
  readonly #files = new Map<string, Declarations>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  exportsOf(file: string): Set<string> {
    const { exported, all } = this.#read(file);
    return new Set([...exported, ...all.flatMap((other) => [...this.exportsOf(other)])]);
  }

  /** The exports of a file, and what they refer to. */
  reachedFrom(entry: string, shared: ReadonlySet<string> = new Set()): Reached {
    const own = new Map<string, { file: string; text: string; exported: boolean }>();
    const imported = new Set<string>();
    const exports = this.exportsOf(entry);
    const visit = (from: string, name: string): void => {
      const found = this.#find(from, name);
      if (found === undefined) return;
      if (shared.has(name)) return void imported.add(name);
      const before = own.get(name);
      if (before !== undefined && before.file !== found.file) throw new Error(`${name} is declared in ${before.file} and in ${found.file}`);
      if (before !== undefined) return;
      own.set(name, { ...found, exported: exports.has(name) });
      for (const [word] of codeOf(found.text).matchAll(/\b[A-Za-z_]\w*\b/g)) visit(found.file, word);
    };
    for (const name of exports) visit(entry, name);
    return { own, imported };
  }

  #find(file: string, name: string): { readonly file: string; readonly text: string } | undefined {
    const { own, from, all } = this.#read(file);
    const text = own.get(name);
    if (text !== undefined) return { file, text };
    const source = from.get(name) ?? all.find((other) => this.exportsOf(other).has(name));
    return source === undefined ? undefined : this.#find(source, name);
  }

  #read(file: string): Declarations {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const read = declarationsIn(file, readFileSync(join(this.#folder, file.replace(/\.ts$/, '.d.ts')), 'utf8'));
    this.#files.set(file, read);
    return read;
  }
}

/** Reads what the compiler writes: statements and their comments begin in the first column. */
function declarationsIn(file: string, text: string): Declarations {
  const own = new Map<string, string>();
  const exported = new Set<string>();
  const from = new Map<string, string>();
  const all: string[] = [];
  for (const [, comment = '', statement = ''] of text.matchAll(
    /^(\/\*\*(?:[^*]|\*(?!\/))*\*\/\n)?((?:export|import|declare|interface|type)\b.*\n(?:[ }].*\n)*)/gm,
  )) {
    const [, names, specifier] = /^(?:import|export) (?:type )?(\*|\{[^}]*\}) from '([^']+)';$/.exec(statement.trim()) ?? [];
    const [, exports, name] = /^(export )?(?:declare )?(?:abstract )?(?:interface|type|class|const|function) (\w+)/.exec(statement) ?? [];
    if (names !== undefined && specifier !== undefined) {
      if (!specifier.startsWith('.'))
        throw new Error(`${file} takes ${names} from ${specifier}: the types of the package need no other package`);
      const source = relative(ROOT, resolve(ROOT, dirname(file), specifier));
      if (names === '*') all.push(source);
      for (const [, imported = ''] of names.matchAll(/(?:type )?(\w+)(?=[ ,}])/g)) {
        from.set(imported, source);
        if (statement.startsWith('export')) exported.add(imported);
      }
    } else if (name !== undefined) {
      own.set(name, (own.get(name) ?? '') + comment + statement);
      if (exports !== undefined) exported.add(name);
    } else if (!/^export (?:type )?\{/.test(statement)) throw new Error(`${file}: expected a declaration, got ${statement}`);
    else for (const [, local = ''] of statement.matchAll(/(\w+)(?= ?[,}])/g)) exported.add(local);
  }
  return { own, exported, from, all };
}

/** Code without comments and texts, whose words are no names. */
const codeOf = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|'[^']*'|"[^"]*"/g, '');

function fileOf({ own, imported }: Reached): string {
  const imports = imported.size === 0 ? '' : `import type { ${[...imported].toSorted().join(', ')} } from './index.js';\n`;
  const declared = Array.from(own.values(), ({ text, exported }) => (exported ? text : text.replace(/^export /m, '')));
  // Without an export of nothing, every declaration of the file is exported.
  const input = `${HEAD}${imports}\n${declared.join('\n')}\nexport {};\n`;
  return execFileSync(join(BIN, 'oxfmt'), ['--stdin-filepath', 'declarations.d.ts'], { cwd: ROOT, input, encoding: 'utf8' });
}
