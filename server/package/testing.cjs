/** `require('scoring-server/testing')`. */
require('./own-types.js');

module.exports = require('../worker/script/testing.ts');
