export function init() {}
let running = 0;
let most = 0;
export async function run() {
  most = Math.max(most, ++running);
  await new Promise((resolve) => setTimeout(resolve, 20));
  running--;
  return most;
}
