export function init() {}
export function run() {
  throw new Error('secret detail');
}
