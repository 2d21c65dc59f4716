import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';

const HOME = new URL('../../', import.meta.url).href;

// Node strips no types below node_modules. It does where the package is a link or a clone.
if (HOME.includes('/node_modules/')) stripOwnTypes();

/** Strips the types of this package's files, and of no others. */
function stripOwnTypes() {
  withoutWarnings(() => stripTypeScriptTypes(''));
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(HOME) || !url.endsWith('.ts') || url.includes('/node_modules/', HOME.length)) return nextLoad(url, context);
      return { format: 'module', source: stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true };
    },
  });
}

/** Why: Node warns once that the function is experimental, which no user of it can change. */
function withoutWarnings(call) {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    call();
  } finally {
    process.emitWarning = emitWarning;
  }
}
