export function init() {}
export async function run() {
  const response = new Response('once');
  await response.text();
  return response;
}
