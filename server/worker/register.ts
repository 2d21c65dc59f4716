// `node --import .../register.ts --test`: lets tests of entry scripts import `scoring-server` with
// nothing installed. Authors have this file's path in their commands: docs/script-tests.md.
import { installModuleHooks } from './script/module-hooks.ts';

installModuleHooks([]);
