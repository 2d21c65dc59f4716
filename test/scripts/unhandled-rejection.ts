export function init() {}
export function run() {
  void Promise.reject(new Error('forgotten'));
  return 'fine';
}
