// `node --require` of this file makes a start use the compile cache of the image
// (docker/warm-up.ts). Node's name of the cache's folder ends in the uid, although the content
// depends only on version and flags. So other uids get a link of their name in /tmp. Without a
// writable /tmp the start is only slower.
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
    // Workers inherit it.
    if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
  } catch {
    // Without the cache the start is slower, and otherwise the same.
  }
}
