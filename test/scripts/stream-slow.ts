export function init() {}
// Streams with gaps that a cancel cannot shorten; answers anything else at once.
export async function* run(gapMs: number) {
  for (let count = 0; count < 4; count++) {
    yield `${count}`;
    await new Promise((resolve) => setTimeout(resolve, gapMs));
  }
}
