let ready = false;
export async function init() {
  await new Promise(setImmediate);
  ready = true;
}
export const run = () => ready;
