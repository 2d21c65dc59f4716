/** Requests whose end two readers may see in different places: RFC 9112, section 11.2. */

/**
 * What the server makes of a shape: `refused` is 400 and the end of the connection; `one` is the
 * first request alone, with this body.
 */
export interface Shape {
  readonly name: string;
  readonly text: string;
  readonly verdict: 'refused' | { readonly one: string };
}

/** A whole request that must never run where it is hidden in another one. */
export const HIDDEN = 'GET /score?id=hidden HTTP/1.1\r\nHost: x\r\n\r\n';

const POST = 'POST /score?id=first HTTP/1.1\r\nHost: x\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const LENGTH = 'Content-Length: 2\r\n\r\n{}';
const END = '0\r\n\r\n';

/** The hidden request follows each refused shape, as the bytes that another reader would run. */
const refused = (name: string, text: string): Shape => ({ name, text: text + HIDDEN, verdict: 'refused' });
const one = (name: string, text: string, body = '{}'): Shape => ({ name, text, verdict: { one: body } });

const coding = (value: string): string => `${POST}Transfer-Encoding:${value}\r\n\r\n2\r\n{}\r\n${END}`;
const length = (value: string): string => `${POST}Content-Length:${value}\r\n\r\n{}`;
const chunk = (size: string, end = '\r\n'): string => `${CHUNKED}${size}\r\n{}${end}${END}`;
const host = (lines: string, version = '1.1'): string => `POST /score?id=first HTTP/${version}\r\n${lines}${LENGTH}`;

const lengthAndCoding: readonly Shape[] = [
  refused('Content-Length, then Transfer-Encoding', `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${END}`),
  refused('Transfer-Encoding, then Content-Length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${END}`),
  refused(
    'Content-Length of the hidden request beside chunked',
    `${POST}Content-Length: ${HIDDEN.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n${END}`,
  ),
  refused('two equal lengths', `${POST}Content-Length: 2\r\n${LENGTH}`),
  refused('two different lengths', `${POST}Content-Length: ${HIDDEN.length + 2}\r\n${LENGTH}`),
  refused('a list of equal lengths', length(' 2, 2')),
  refused('a list of different lengths', length(` 2, ${HIDDEN.length + 2}`)),
  refused('a length beside an identity coding', `${POST}Transfer-Encoding: identity\r\n${LENGTH}`),
  refused('a length beside an empty coding', `${POST}Transfer-Encoding:\r\n${LENGTH}`),
  refused('HTTP/1.0 with Transfer-Encoding', coding(' chunked').replace('HTTP/1.1', 'HTTP/1.0')),
  refused('HTTP/1.0 with Transfer-Encoding, kept alive', coding(' chunked\r\nConnection: keep-alive').replace('HTTP/1.1', 'HTTP/1.0')),
  refused('HTTP/1.0 with both', `${POST.replace('1.1', '1.0')}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n${LENGTH}`),
];

const lengths: readonly Shape[] = [
  ...['+2', '-2', '0x2', '2 2', '', '2.0', '2e0', '"2"', '2;', '18446744073709551618', '1_0', '\x0b2'].map((value) =>
    refused(`the length ${JSON.stringify(value)}`, length(` ${value}`)),
  ),
  ...[' 0002', '\t2', ' 2 ', '2'].map((value) => one(`the length ${JSON.stringify(value)}`, length(value))),
];

const codings: readonly Shape[] = [
  ...[
    'gzip, chunked',
    'identity, chunked',
    ', chunked',
    'chunked, identity',
    'chunked, gzip',
    'chunked, chunked',
    'chunked,',
    'xchunked',
    'chunkedx',
    'x chunked',
    'identity',
    'gzip',
    '"chunked"',
    'chunked;q=1',
    '\x0bchunked',
    '\x0cchunked',
    'chunked\0',
    'chunked\t',
    'chunked\x0b',
    'c hunked',
    '',
    'identity\r\nTransfer-Encoding: chunked',
    'chunked\r\nTransfer-Encoding: identity',
    'chunked\r\nTransfer-Encoding: chunked',
    'chunked\r\nTransfer-Encoding:',
    '\r\n chunked',
    '\n chunked',
    'chunked\r\n\tx',
  ].map((value) => refused(`the coding ${JSON.stringify(value)}`, coding(` ${value}`))),
  ...[' chunked', '  chunked', '\tchunked', 'chunked', ' chunked ', ' ChUnKeD', ' CHUNKED'].map((value) =>
    one(`the coding ${JSON.stringify(value)}`, coding(value)),
  ),
];

const lines: readonly Shape[] = [
  refused('obs-fold', `${POST}X: a\r\n b\r\n${LENGTH}`),
  refused('obs-fold with a tab', `${POST}X: a\r\n\tTransfer-Encoding: chunked\r\n${LENGTH}`),
  refused('bare LF everywhere', `POST /score?id=first HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}`),
  refused('bare LF in a header', `${POST}X: a\nTransfer-Encoding: chunked\r\n${LENGTH}`),
  refused('bare LF at the end of the head', `${POST}Content-Length: 2\r\n\n{}`),
  refused('bare CR in a value', `${POST}X: a\rTransfer-Encoding: chunked\r\n${LENGTH}`),
  refused('bare CR at the end of a line', `${POST}X: a\r${LENGTH}`),
  refused('two CR', `${POST}X: a\r\r\n${LENGTH}`),
  refused('space before the colon of Content-Length', `${POST}Content-Length : 2\r\n\r\n{}`),
  refused('space before the colon of Transfer-Encoding', `${POST}Transfer-Encoding : chunked\r\n${LENGTH}`),
  refused('tab before the colon', `${POST}Transfer-Encoding\t: chunked\r\n${LENGTH}`),
  refused('space before a name', `${POST} Transfer-Encoding: chunked\r\n${LENGTH}`),
  refused('space before the first name', `POST /score?id=first HTTP/1.1\r\n Host: x\r\n${LENGTH}`),
  refused('NUL in a value', `${POST}X: a\0b\r\n${LENGTH}`),
  refused('NUL in a name', `${POST}X\0: a\r\n${LENGTH}`),
  refused('a byte above 127 in a name', `${POST}Transfer-Encod\xefng: chunked\r\n${LENGTH}`),
  refused('a line without a colon', `${POST}Transfer-Encoding chunked\r\n${LENGTH}`),
  refused('an empty name', `${POST}: chunked\r\n${LENGTH}`),
  one('names with underscores', `${POST}Content_Length: ${HIDDEN.length}\r\nTransfer_Encoding: chunked\r\n${LENGTH}`),
  one('empty lines before the request', `\r\n\r\n${POST}${LENGTH}`),
  one('thousands of headers before the length', `${POST}${'a:\r\n'.repeat(2500)}${LENGTH}`),
];

const chunks: readonly Shape[] = [
  ...['0x2', '+2', '-2', ' 2', '2 ', '', 'g', '10000000000000002', '2;', '2;a\rb', '2;a="\n"', '2;a\nb', '2\n', '\n2', '2\0'].map((size) =>
    refused(`the chunk size ${JSON.stringify(size)}`, chunk(size)),
  ),
  ...['0000000000000000000000000002', '02', '2;a=b', '2;a="b;c"', '2;a'].map((size) =>
    one(`the chunk size ${JSON.stringify(size)}`, chunk(size)),
  ),
  refused('a chunk that ends in LF', chunk('2', '\n')),
  refused('a chunk that ends in CR', chunk('2', '\r')),
  refused('a chunk without its end', chunk('2', '')),
  refused('a chunk that is longer than its size', chunk('2', 'xx\r\n')),
  refused('a size that ends in LF', `${CHUNKED}2\n{}\r\n${END}`),
  refused('an extension that ends in LF', `${CHUNKED}2;x\n{}\r\n${END}`),
  refused('a last chunk that ends in LF', `${CHUNKED}2\r\n{}\r\n0\n\n`),
  refused('trailers that end in LF', `${CHUNKED}2\r\n{}\r\n0\r\n\n`),
  refused('Content-Length in trailers', `${CHUNKED}2\r\n{}\r\n0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n`),
  refused('Transfer-Encoding in trailers', `${CHUNKED}2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n`),
  one('several zeros as the last chunk', `${CHUNKED}2\r\n{}\r\n0000\r\n\r\n`),
  one('trailers', `${CHUNKED}2\r\n{}\r\n0\r\nX: a\r\n\r\n`),
];

const heads: readonly Shape[] = [
  refused('two Hosts', host('Host: x\r\nHost: y\r\n')),
  refused('two equal Hosts', host('Host: x\r\nhost: x\r\n')),
  refused('a list of Hosts', host('Host: x, y\r\n')),
  refused('a Host with a user', host('Host: a@b\r\n')),
  refused('a Host with a path', host('Host: x/score?id=hidden\r\n')),
  refused('HTTP/1.2', host('Host: x\r\n', '1.2')),
  refused('HTTP/2.0 as text', host('Host: x\r\n', '2.0')),
  refused('HTTP/1.10', host('Host: x\r\n', '1.10')),
  refused('HTTP/0.9', 'GET /score?id=first\r\n\r\n'),
  refused('two versions', `POST /score?id=first HTTP/1.1 HTTP/1.1\r\nHost: x\r\n${LENGTH}`),
  refused('tabs in the first line', `POST\t/score?id=first\tHTTP/1.1\r\nHost: x\r\n${LENGTH}`),
  refused('a method in lower case', `post /score?id=first HTTP/1.1\r\nHost: x\r\n${LENGTH}`),
  one('another host in the target', `POST http://other/score?id=first HTTP/1.1\r\nHost: x\r\n${LENGTH}`),
  one('a Host of IPv6 with a port', host('Host: [::1]:5001\r\n')),
  one('Upgrade: h2c', `${POST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n${LENGTH}`),
  one('Upgrade: websocket', `${POST}Connection: Upgrade\r\nUpgrade: websocket\r\n${LENGTH}`),
  one('Connection: content-length', `${POST}Connection: content-length\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`, HIDDEN),
  one('Connection: transfer-encoding', coding(' chunked\r\nConnection: transfer-encoding')),
];

export const shapes: readonly Shape[] = [...lengthAndCoding, ...lengths, ...codings, ...lines, ...chunks, ...heads];
