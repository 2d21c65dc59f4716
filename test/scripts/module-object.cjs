module.exports = {
  threshold: 0.5,
  init() {},
  run(data) {
    return { over: data.x > this.threshold, members: Object.keys(this) };
  },
};
