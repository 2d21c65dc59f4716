/** `require('scoring-server')`. Why a file of its own: it cannot wait, as index.js does. */
require('./own-types.js');

module.exports = require('../worker/script/exports.ts');
