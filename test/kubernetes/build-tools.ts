// Builds and downloads what the tests of this folder need. Why before them: on a machine that has
// nothing yet it takes longer than a test may.
import { customResources } from './crds.ts';
import { moduleFolder } from './go-modules.ts';
import { KUBERNETES } from './schemas.ts';
import { tool } from './tools.ts';

await tool('helm');
await customResources();
for (const module of KUBERNETES) await moduleFolder(module);
