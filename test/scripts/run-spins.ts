export function init() {}
export function run(data: unknown) {
  if (data === 'spin') for (;;);
  return 'fine';
}
