export function init() {}
export async function* run() {
  yield 'first';
  await new Promise(() => undefined);
}
