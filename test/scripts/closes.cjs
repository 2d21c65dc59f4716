module.exports = { init() {}, run: () => process.pid, close: async () => console.log('closed') };
