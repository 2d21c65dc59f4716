export function init() {}
export function run(data: unknown) {
  if (data === 'exit') process.exit(5);
  return 'fine';
}
