// `node --import .../register.ts --test`: lets tests of entry scripts import `scoring-server` with
// nothing installed.
import { installModuleHooks } from './module-hooks.ts';

installModuleHooks([]);
