const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
/** Requests that are broken, unusual, whole, or many at once. */
export const PACKETS = [
  'CONNECT a:1 HTTP/1.1\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\nmore',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nmore',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'nonsense\r\n\r\n',
  `${POST}Content-Length: 100\r\n\r\n{`,
  `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  `${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  `${POST}Content-Length: 2\r\n\r\n{}`,
  `${POST}Content-Encoding: gzip\r\nContent-Length: 50\r\n\r\nxx`,
  'GET /swagger.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20),
  'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
];
