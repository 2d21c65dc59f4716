export default { init() {}, run: () => process.pid, close: () => console.log('closed') };
