export const concurrency = 1;
export function init() {}
let running = 0;
export async function run() {
  running++;
  const seen = running;
  await new Promise((resolve) => setTimeout(resolve, 5));
  running--;
  return seen;
}
