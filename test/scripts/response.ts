export function init() {}
export function run(kind: string) {
  if (kind === 'bytes') return new Response(new Uint8Array([1, 2, 3]), { headers: { 'content-type': 'application/octet-stream' } });
  if (kind === 'untyped bytes') return new Response(new Uint8Array([0x89, 0x50, 0xff]));
  if (kind === 'empty') return new Response(null, { status: 202 });
  if (kind === 'no content') return new Response(null, { status: 204 });
  if (kind === 'cookies')
    return new Response('ok', {
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    });
  return new Response('{"ready":"made"}', { status: 201, headers: { 'content-type': 'application/json', 'x-request-id': 'mine' } });
}
