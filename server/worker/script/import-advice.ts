import { RUNTIME, RUNTIME_VERSION } from '../../inference/shared-runtime.ts';
import { findUpward, pathOf } from './find-module.ts';

/** A mistake that the loader's text shows, and what to write instead. */
interface Mistake {
  /** Of the text: file and line, lines of the file, message. */
  readonly shown: RegExp;
  /** @param groups of the match @param packageJson the nearest to the file */
  readonly advice: (groups: readonly string[], packageJson: string) => string;
}

const mistakes: readonly Mistake[] = [
  {
    shown: /ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/,
    advice: () =>
      'Node removes types, and makes no code from them. Write `const Colour = { Red: 0 } as const` for an enum. Write a field that the constructor sets for a parameter property. Write a module for a namespace. Write `import x from` for `import x = require()`, and `export default` for `export =`. "erasableSyntaxOnly" of tsconfig.json finds all such places.',
  },
  {
    shown: /does not provide an export named '([^']+)'|Named export '([^']+)' not found/,
    advice: ([name = '']) => `If ${name} is a type, write \`import { type ${name} }\`: Node removes only imports that say so.`,
  },
  {
    shown: /^\s*@[A-Za-z_$][\s\S]*Invalid or unexpected token/m,
    advice: () => 'Node has no decorators: call the function, `const Scorer = decorate(class { ... })`, or compile the script.',
  },
  {
    shown: /Unknown file extension "\.[jt]sx"|(?:<\/|\/>)[\s\S]*SyntaxError/,
    advice: () => 'Node runs no JSX: write the calls that it stands for (`createElement(...)`) in a .ts or .js file, or compile it.',
  },
  {
    shown: /needs an import attribute of "type: json"/,
    advice: () => "Write `import data from './data.json' with { type: 'json' }`.",
  },
  {
    shown: /Cannot use import statement outside a module|Cannot use 'import.meta' outside a module|Unexpected token 'export'/,
    advice: (_, packageJson) => `Rename the file to .mjs or .mts, or set "type": "module" in ${packageJson}.`,
  },
  {
    shown: /\b(?:require|module|exports) is not defined in ES module scope/,
    advice: (_, packageJson) =>
      `A file is a module if it has import, export or a top-level await, ends in .mjs or .mts, or "type" is "module" in ${packageJson}. Use import and export in a module. A file with require and module.exports throughout runs as .cjs or .cts, and without that "type".`,
  },
  {
    shown: /\b__(dir|file)name is not defined in ES module scope/,
    advice: ([part = '']) => `Write \`import.meta.${part}name\`.`,
  },
];

/**
 * What an author can write instead; undefined: the loader's text has to do.
 * @param shown the loader's text
 * @param path of the entry script
 */
export function adviceOn(shown: string, path: string): string | undefined {
  const [, url] = /(file:\/\/[^\s:]+)/.exec(shown) ?? [];
  const packageJson = findUpward('package.json', (url === undefined ? undefined : pathOf(url)) ?? path) ?? 'a package.json beside it';
  const advice = mistakes.flatMap((mistake) => {
    const found = mistake.shown.exec(shown);
    return found === null
      ? []
      : mistake.advice(
          found.slice(1).filter((group) => group !== undefined),
          packageJson,
        );
  });
  if (shown.includes(RUNTIME)) advice.push(`Every script and package gets this server's ${RUNTIME} ${RUNTIME_VERSION}.`);
  return advice.length === 0 ? undefined : advice.join('\n');
}
