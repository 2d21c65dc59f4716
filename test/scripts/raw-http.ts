export const rawHttp = true;
export function init() {}
export async function run(request: Request) {
  const body =
    request.headers.get('content-type')?.startsWith('multipart/') === true
      ? Object.fromEntries(await request.formData())
      : await request.text();
  return Response.json({ method: request.method, url: request.url, body }, { status: 202, headers: { 'x-mine': 'yes' } });
}
