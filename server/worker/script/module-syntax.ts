import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes, type LoadFnOutput } from 'node:module';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';

const VARIABLES = ['exports', 'require', 'module', '__filename', '__dirname'];

/**
 * Loads a file as a module where its syntax is a module's and `"type": "commonjs"` of package.json
 * says otherwise. Why: `npm init` writes that type, and authors write modules.
 */
export function bySyntax(url: string, loaded: LoadFnOutput): LoadFnOutput {
  const { format, source } = loaded;
  const [, language] = /\.([jt])s(?:$|[?#])/.exec(url) ?? [];
  // .cjs and .cts say what they are.
  if (language === undefined || format?.startsWith('commonjs') !== true) return loaded;
  // Loaders that a preload registers leave out the source of CommonJS.
  const given = source ?? readFileSync(fileURLToPath(url));
  const text = typeof given === 'string' ? given : new TextDecoder().decode(given);
  if (!isModule(text, language === 't')) return loaded;
  return { ...loaded, source: given, format: language === 't' ? 'module-typescript' : 'module' };
}

function isModule(text: string, typed: boolean): boolean {
  if (!/\b(?:import|export|await)\b/.test(text)) return false;
  const requires = /\b(?:module|exports)\s*[.[=]|\brequire\s*\(/.test(text);
  // Types are removed only where these words leave a doubt: that costs 90 ms and 20 MB.
  if (typed && !requires && /^\s*(?:import|export)\b/m.test(text)) return true;
  try {
    compileFunction(typed ? withoutTypes(text) : text, VARIABLES);
    return false;
  } catch (thrown) {
    // The loader names other errors of TypeScript.
    return !(thrown instanceof Error && 'code' in thrown);
  }
}

function withoutTypes(text: string): string {
  // Node warns once that the function is experimental. Authors cannot act on that.
  const warning = Object.getOwnPropertyDescriptor(process, 'emitWarning');
  Object.defineProperty(process, 'emitWarning', { ...warning, value: () => undefined });
  try {
    return stripTypeScriptTypes(text);
  } finally {
    if (warning !== undefined) Object.defineProperty(process, 'emitWarning', warning);
  }
}
