export default { init() {}, run: (data: unknown) => ({ got: data }) };
