export const sample = 1;
export function init() {}
export function run() {
  for (;;);
}
