import assert from 'node:assert/strict';
import test from 'node:test';
import { optionRows } from '../../../server/config/config.ts';
import { secretVariables, unknownSecrets, withoutSecrets } from '../../../server/config/secret-variables.ts';

const secrets = optionRows.filter(({ secret }) => secret === true);

for (const { env } of secrets)
  test(`a child process gets no ${env.join(' and no ')}, unless WORKER_SECRETS names it`, () => {
    for (const name of env) {
      const given = { PATH: '/bin', [name]: 's3cret' };
      assert.deepEqual(withoutSecrets(given, []), { PATH: '/bin' });
      assert.deepEqual(withoutSecrets(given, [name]), given);
      assert.deepEqual(unknownSecrets({ workerSecrets: [name] }), []);
    }
  });

test('a child process gets no headers of an exporter, which may be keys', () => {
  const given = { OTEL_EXPORTER_OTLP_HEADERS: 'k=s3cret', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'k=s3cret', OTEL_SERVICE_NAME: 'mine' };
  assert.deepEqual(withoutSecrets(given, []), { OTEL_SERVICE_NAME: 'mine' });
});

test('a child process gets no second name of a secret, as App Service gives one to each setting', () => {
  const given = { APPSETTING_SCORING_KEYS: 's3cret', APPSETTING_COLOUR: 'red' };
  assert.deepEqual(withoutSecrets(given, []), { APPSETTING_COLOUR: 'red' });
  assert.deepEqual(withoutSecrets(given, ['SCORING_KEYS']), given);
});

test('a child process gets every other variable: those of options, of the script, of proxies', () => {
  const open = optionRows.filter(({ secret }) => secret !== true).flatMap(({ env }) => [...env]);
  const given = Object.fromEntries([...open, 'FEATURE_STORE', 'https_proxy', 'PATH', 'scoring_keys'].map((name) => [name, 'open']));
  assert.deepEqual(withoutSecrets(given, []), given);
});

test('variables that are no secrets of the server are refused in WORKER_SECRETS', () => {
  for (const name of ['PATH', 'scoring_keys', 'AZURE_CLIENT_SECRET']) {
    assert.match(
      unknownSecrets({ workerSecrets: [...secretVariables].slice(0, 1).concat(name) }).join(),
      /^WORKER_SECRETS: expected names among .*SCORING_KEYS/,
    );
    assert.match(unknownSecrets({ workerSecrets: [name] }).join(), new RegExp(`got "${name}"$`));
  }
  assert.deepEqual(unknownSecrets({ workerSecrets: [] }), []);
});
