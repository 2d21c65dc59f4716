import { extname } from 'node:path';

/** Language of entry scripts, which decides the program of their workers. */
export type ScriptLanguage = 'javascript' | 'python';

/** Extensions of entry scripts, in the order of the search. */
const languages: Readonly<Record<string, ScriptLanguage>> = {
  '.ts': 'javascript',
  '.mts': 'javascript',
  '.cts': 'javascript',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.py': 'python',
};

export const SCRIPT_EXTENSIONS: readonly string[] = Object.keys(languages);

/** The language of an entry script, by its extension. */
export function languageOf(script: string): ScriptLanguage {
  return languages[extname(script)] ?? 'javascript';
}
