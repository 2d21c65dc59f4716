/**
 * A CommonJS script: `require`, `module.exports`, and `this` for the other members.
 *
 * npm start -- --entry-script docs/cookbook/commonjs-script/score.js
 * sh docs/cookbook/commonjs-script/try.sh
 */

const { ScoringError } = require('scoring-server');
const { feeOf } = require('./fees');

module.exports = {
  limit: 1000,

  init({ log }) {
    log.info(`amounts up to ${this.limit} are accepted`);
  },

  run({ amount }) {
    if (amount > this.limit) throw new ScoringError(422, `amount: expected at most ${this.limit}, got ${amount}`);
    return { fee: feeOf(amount) };
  },
};
