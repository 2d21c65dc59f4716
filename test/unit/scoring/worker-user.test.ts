import assert from 'node:assert/strict';
import test from 'node:test';
import { workerUser } from '../../../server/scoring/worker-user.ts';

const ROOT = { uid: 0, code: [], missing: [] };
const problemOf = (text: string, around: Parameters<typeof workerUser>[1]): string => {
  try {
    workerUser({ workerUser: text }, around);
    return 'none';
  } catch (thrown) {
    assert.equal((thrown as { code?: unknown }).code, 'usage');
    return (thrown as Error).message;
  }
};

test('without the option, workers have the user of the server, whoever that is', () => {
  for (const uid of [0, 1000, undefined]) assert.equal(workerUser({ workerUser: '' }, { ...ROOT, uid }), undefined);
});

test('a server that is root takes a number, two numbers and a name', () => {
  assert.equal(workerUser({ workerUser: '4000' }, ROOT)?.uid, 4000);
  assert.equal(workerUser({ workerUser: '4000:5' }, ROOT)?.gid, 5);
  // Each system has it.
  assert.ok((workerUser({ workerUser: 'nobody' }, ROOT)?.uid ?? 0) > 0);
});

const refused: Record<string, readonly [text: string, around: Parameters<typeof workerUser>[1], problem: RegExp]> = {
  'a server that is not root': ['4000', { ...ROOT, uid: 1000 }, /^WORKER_USER: expected a server that runs as root, got uid 1000\./],
  'root by name': ['root', ROOT, /expected a user other than root, got "root"/],
  'root by number': ['0', ROOT, /expected a user other than root, got "0"/],
  'an unknown name': ['no.such-user', ROOT, /expected a uid, uid:gid or a name of \/etc\/passwd, got "no\.such-user"/],
  'a capability that is missing': ['4000', { ...ROOT, missing: ['KILL'] }, /expected the capabilities KILL, which this server lacks/],
};
for (const [what, [text, around, problem]] of Object.entries(refused))
  test(`what a server says of WORKER_USER: ${what}`, () => {
    assert.match(problemOf(text, around), problem);
  });

test('a user that can change code of the host is refused, with the place', () => {
  assert.match(
    problemOf('4000', { ...ROOT, code: ['/etc/hostname', '/tmp'] }),
    /expected a user that cannot change .* but 4000:4000 can change \/tmp\./,
  );
});

test('a user that can change a folder that root writes to is refused, with the place', () => {
  const told = /where the server writes collected data, but 4000:4000 can change \/tmp\. .*MDC_DIR/;
  for (const path of ['/tmp', '/tmp/not/there']) assert.match(problemOf('4000', { ...ROOT, written: ['/etc', path] }), told);
  assert.equal(problemOf('4000', { ...ROOT, written: ['/etc/not/there'] }), 'none');
});
