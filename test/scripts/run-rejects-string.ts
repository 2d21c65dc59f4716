export function init() {}
export async function run() {
  await Promise.reject('just a string');
}
