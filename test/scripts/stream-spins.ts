export function init() {}
// Spins after the first chunk, where it is asked to.
export async function* run(spins: number) {
  yield `${spins}`;
  await new Promise((resolve) => setTimeout(resolve, 20));
  while (spins > 0);
}
