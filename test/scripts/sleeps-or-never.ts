export function init() {}
export async function run(ms: number) {
  if (ms < 0) await new Promise(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return process.pid;
}
