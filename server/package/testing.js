/** `import { loadScript } from 'scoring-server/testing'`. */
import './own-types.js';

export const { loadScript } = await import('../worker/script/testing.ts');
