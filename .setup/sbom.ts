// `npm run sbom`: prints the bill of materials (CycloneDX) of what production needs, by the lock
// file. Why a copy of it without the packages of development: `npm sbom --omit=dev` leaves out
// packages that both need.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import packageLock from '../package-lock.json' with { type: 'json' };

interface Locked {
  readonly dev?: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'sbom-'));
try {
  const { devDependencies: _tools, ...manifest } = packageJson;
  const places = Object.entries<Locked>(packageLock.packages).filter(([, { dev }]) => dev !== true);
  const packages = { ...Object.fromEntries(places), '': manifest };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...packageLock, packages }));
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
