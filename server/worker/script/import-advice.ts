import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RUNTIME, RUNTIME_VERSION } from '../../inference/shared-runtime.ts';
import { findModule, findUpward, pathOf } from './find-module.ts';

/** A mistake that the loader's text shows, and what to write instead. */
interface Mistake {
  /** Of the text: file and line, lines of the file with `\0` at the error, message. */
  readonly shown: RegExp;
  /** @param groups of the match @param file that has the mistake */
  readonly advice: (groups: readonly string[], file: string) => string | undefined;
}

const mistakes: readonly Mistake[] = [
  {
    shown: /ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/,
    advice: () =>
      'Node removes types, and makes no code from them. Write `const Colour = { Red: 0 } as const` for an enum. Write a field that the constructor sets for a parameter property. Write a module for a namespace. Write `import x from` for `import x = require()`, and `export default` for `export =`. "erasableSyntaxOnly" of tsconfig.json finds all such places.',
  },
  {
    shown: /requested module '([^']+)' does not provide an export named '([^']+)'/,
    advice: ([specifier = '', name = ''], file) => commonJs(specifier, file) ?? typeOnly(name, file),
  },
  { shown: /Named export '([^']+)' not found/, advice: ([name = ''], file) => typeOnly(name, file) },
  {
    shown: /(?<![\w$)\]])\0(?:export )?@[^]*SyntaxError/,
    advice: () => 'Node has no decorators: call the function, `const Scorer = decorate(class { ... })`, or compile the script.',
  },
  {
    // V8 stops at the first `<`. The other parser takes a tag as a type, and stops behind it.
    shown:
      /Unknown file extension "\.[jt]sx"|Unexpected token '<'$|(?:<\0\/|\/>\s*\0|(?<![\w$])<[A-Za-z][\w.]*\s+\0)[^]*ERR_INVALID_TYPESCRIPT_SYNTAX/m,
    advice: () => 'Node runs no JSX: write the calls that it stands for (`createElement(...)`) in a .ts or .js file, or compile it.',
  },
  {
    shown: /ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING/,
    advice: () =>
      'A package below node_modules needs .js files: compile it. Node reads .ts files of a package that is a link (`npm install ./folder`).',
  },
  {
    shown: /needs an import attribute of "type: json"|Unexpected identifier 'assert'/,
    advice: () => "Write `import data from './data.json' with { type: 'json' }`.",
  },
  {
    shown:
      /Cannot use import statement outside a module|Cannot use 'import.meta' outside a module|(?<!\0export @[^]*)Unexpected token 'export'/,
    advice: (_, file) => `Rename the file to .mjs or .mts, or set "type": "module" in ${packageJsonOf(file)}.`,
  },
  {
    shown: /\b(?:require|module|exports) is not defined in ES module scope/,
    advice: (_, file) =>
      `A file is a module if it has import, export or a top-level await, ends in .mjs or .mts, or "type" is "module" in ${packageJsonOf(file)}. Use import and export in a module. A file with require and module.exports throughout runs as .cjs or .cts, and without that "type".`,
  },
  {
    shown: /\b__(dir|file)name is not defined in ES module scope/,
    advice: ([part = '']) => `Write \`import.meta.${part}name\`.`,
  },
  {
    // Of the message: many stacks have its files.
    shown: new RegExp(`^(?!\\s+at ).*${RUNTIME}`, 'm'),
    advice: () => `Every script and package gets this server's ${RUNTIME} ${RUNTIME_VERSION}.`,
  },
];

/**
 * The loader's text, and what an author can write instead.
 * @param shown the loader's text
 * @param path of the entry script
 */
export function withImportAdvice(shown: string, path: string): string {
  const [, url] = /(file:\/\/[^\s:]+)/.exec(shown) ?? [];
  const file = (url === undefined ? undefined : pathOf(url)) ?? path;
  const text = marked(shown);
  const advice = mistakes.map((mistake) => {
    const found = mistake.shown.exec(text);
    return found === null
      ? undefined
      : mistake.advice(
          found.slice(1).filter((group) => group !== undefined),
          file,
        );
  });
  return [shown, ...advice.filter((each) => each !== undefined)].join('\n');
}

/** The text with `\0` in place of the line of carets. */
function marked(shown: string): string {
  return shown.replace(/^(.*)\n([ \t]*)\^+$/m, (_, line: string, { length }: string) => `${line.slice(0, length)}\0${line.slice(length)}`);
}

/** Types are in files of TypeScript only. */
function typeOnly(name: string, file: string): string | undefined {
  if (!/\.[cm]?ts$/.test(file)) return undefined;
  const instead = name === 'default' ? 'import type Name from' : `import { type ${name} }`;
  return `If ${name} is a type, write \`${instead}\`: Node removes only imports that say so.`;
}

/** Why a file of the author has no exports: it is CommonJS, and its package.json says otherwise. */
function commonJs(specifier: string, file: string): string | undefined {
  const url = findModule(specifier, pathToFileURL(file).href, []);
  const path = url === undefined ? undefined : fileURLToPath(url);
  if (path === undefined || !/\bmodule\.exports\b|\bexports\.[\w$]+ *=/.test(readFileSync(path, 'utf8'))) return undefined;
  return `${path} has module.exports. "type" in ${packageJsonOf(path)} makes it a module: rename it to .cjs or .cts, or write \`export\` in it.`;
}

function packageJsonOf(file: string): string {
  return findUpward('package.json', file) ?? 'a package.json beside it';
}
