export function init() {}
export function run(data: unknown) {
  if (data === 'abort') process.abort();
  return 'fine';
}
