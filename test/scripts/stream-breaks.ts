export function init() {}
export async function* run(afterFirst: boolean) {
  if (afterFirst) {
    yield 'first';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the stream broke');
}
