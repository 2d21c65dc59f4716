import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * Sends text over a socket of its own. Answers all that was received once the server has closed it;
 * rejects on a reset.
 */
export async function raw(port: number, text: string): Promise<string> {
  const socket = await open(port);
  socket.write(text, 'latin1');
  return rest(socket);
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Everything that arrives until the end. */
export async function rest(socket: Socket): Promise<string> {
  let received = '';
  for await (const piece of socket.setEncoding('latin1')) received += piece as string;
  return received;
}

/** Reads until `marker` has arrived. */
export function until(socket: Socket, marker: string): Promise<string> {
  socket.setEncoding('latin1');
  return new Promise((resolve, reject) => {
    let received = '';
    const read = (piece: string): void => {
      received += piece;
      if (!received.includes(marker)) return;
      socket.off('data', read);
      resolve(received);
    };
    socket.on('data', read).once('error', reject);
    socket.once('close', () => reject(new Error(`closed before ${JSON.stringify(marker)}; got ${JSON.stringify(received)}`)));
  });
}

/** Status, headers (lower-case names) and body of a raw answer. */
export function parse(answer: string): { status: number; headers: Record<string, string>; body: string } {
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => line.split(': ') as [string, string]).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: body.join('\r\n\r\n'),
  };
}
