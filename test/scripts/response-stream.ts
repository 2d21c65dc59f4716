export function init() {}
export function run() {
  let count = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (++count > 3) controller.close();
        else controller.enqueue(new TextEncoder().encode(`${count};`));
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  );
}
