/** Answers as many bytes as it is asked for, in one piece. */
export function init(): void {}

export function run({ bytes }: { bytes: number }): Response {
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': 'application/octet-stream' } });
}
