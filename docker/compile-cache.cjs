// `node --require` of this file lets a start find the compile cache that the image's build has filled (docker/warm-up.ts).
// Node looks for it in a folder whose name ends in the uid, though what lies there depends on version and flags only (read on an emulated
// other CPU as well). For a uid that the build does not know a link of that name is made in /tmp; where nothing is writable, that start is
// merely slower.
'use strict';
const { existsSync, mkdtempSync, symlinkSync } = require('node:fs');
const { constants, enableCompileCache } = require('node:module');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { cachedDataVersionTag } = require('node:v8');

const FILLED = join(__dirname, '..', 'compile-cache');

if (process.env.NODE_COMPILE_CACHE === undefined) {
  const own = `${process.version}-${process.arch}-${cachedDataVersionTag().toString(16).padStart(8, '0')}-${process.getuid()}`;
  let folder = FILLED;
  try {
    if (!existsSync(join(FILLED, own))) {
      folder = mkdtempSync(join(tmpdir(), 'compile-cache-'));
      symlinkSync(join(FILLED, 'filled'), join(folder, own));
    }
    const { status } = enableCompileCache(folder);
    // For the workers.
    if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
  } catch {
    // Slower, not wrong.
  }
}
