import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pino } from 'pino';
import { readConfig } from '../../../server/config/read-config.ts';
import { portlessPlan } from '../../../server/host/serving-plan.ts';
import { folder } from '../../set-up/folder.ts';

test('a process without a port finds the script in the folders of its platform', () => {
  const [application, ofPlatform] = [folder(), folder()];
  writeFileSync(join(ofPlatform, 'score.ts'), '');
  const command = readConfig({ argv: [], env: {}, cwd: application });
  assert.ok(command.kind === 'serve');
  const { profile } = command;
  const platform = { ...profile.platform, scriptFolders: [ofPlatform] };
  const { found } = portlessPlan({ ...command, profile: { ...profile, platform } }, pino({ enabled: false }));
  assert.equal(found.entryScript, join(ofPlatform, 'score.ts'));
});
