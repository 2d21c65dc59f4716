export function init() {}
export function run() {
  throw Response.json({ detail: 'no' }, { status: 403 });
}
