export const sample = 1;
export function init() {}
export function run() {
  throw new Error('no sample today');
}
export function close() {
  for (;;);
}
