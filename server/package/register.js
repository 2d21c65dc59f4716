/** `node --import scoring-server/register`: scripts anywhere on disk can import this package. */
import './own-types.js';

await import('../worker/register.ts');
