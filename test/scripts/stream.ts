export function init() {}
export async function* run(chunks: unknown[]) {
  for (const chunk of chunks) {
    await new Promise(setImmediate);
    yield chunk;
  }
}
