module.exports = { init() {}, run: (data) => data };
