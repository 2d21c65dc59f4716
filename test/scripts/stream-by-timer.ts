export function init() {}
// The timer goes on after the client has left, and tells how often it was refused.
let refused = 0;
export function run({ again }: { again: boolean }) {
  if (again) return { pid: process.pid, refused };
  return new Response(
    new ReadableStream({
      start(controller) {
        setInterval(() => {
          refused++;
          controller.enqueue(new Uint8Array(100));
          refused--;
        }, 10);
      },
    }),
  );
}
