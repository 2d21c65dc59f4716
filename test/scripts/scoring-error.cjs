const { ScoringError } = require('scoring-server');
module.exports = {
  init() {},
  run() {
    throw new ScoringError(409, 'from CommonJS');
  },
};
