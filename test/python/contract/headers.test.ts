import { contract } from './contract.ts';

contract('request_headers', { script: 'headers.py', besidePeersPackages: true }, [
  { name: 'has names in title case', body: 'x', headers: { 'test-header': 'a', traceid: 't', 'X-MS-Thing': 'b' } },
  { name: 'joins headers that come twice', body: 'x', headers: { 'test-header': ['1', '2'] } },
  { name: 'has the type of the body', body: 'x', headers: { 'content-type': 'text/plain; charset=utf-8' } },
  { name: 'has authorization and cookies', body: 'x', headers: { authorization: 'Bearer key', cookie: 'a=b; c=d' } },
  { name: 'has values beyond ASCII as Latin-1', body: 'x', headers: { 'x-name': 'caf\u00e9' } },
  { name: 'has empty values', body: 'x', headers: { 'x-empty': '' } },
  { name: 'has ids of the request', body: 'x', headers: { 'x-request-id': 'A', 'x-ms-client-request-id': 'C' } },
  { name: 'has the headers of a GET', path: '/score?a=1', headers: { 'x-mine': 'yes' } },
]);
