/** This server while it sends a request item for every request to an endpoint beside it. */

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, SubjectProcess } from '../subject-process.ts';
import { ADDRESS, type Place, type Subject } from '../subject.ts';
import { oursWith } from './ours.ts';

const SINK = fileURLToPath(new URL('telemetry-sink-process.ts', import.meta.url));
const KEY = '11111111-2222-3333-4444-555555555555';

export const oursTelemetry: Subject = {
  name: 'ours-telemetry',
  title: 'this server, access log off, every request sent to Application Insights (an endpoint on the same cores, over TLS)',
  start: async (row, place) => {
    const { sink, env } = await startSink(place);
    try {
      const running = await oursWith(row, place, env);
      const stop = async (): Promise<void> => {
        await running.stop();
        await sink.stop();
      };
      return { ...running, stop };
    } catch (error) {
      await sink.stop();
      throw error;
    }
  },
};

async function startSink(place: Place): Promise<{ sink: SubjectProcess; env: Record<string, string> }> {
  const folder = join(place.folder, 'sink');
  mkdirSync(folder);
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = ['-keyout', key, '-out', certificate, '-subj', '/CN=localhost', '-addext', `subjectAltName=IP:${ADDRESS}`];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', ...made], {
    stdio: 'ignore',
  });
  const port = await freePort();
  const sink = new SubjectProcess({ file: process.execPath, args: [SINK, String(port), key, certificate], folder });
  await sink.ready(() => isOpen(port));
  const connectionString = `InstrumentationKey=${KEY};IngestionEndpoint=https://${ADDRESS}:${port}/`;
  return { sink, env: { APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString, NODE_EXTRA_CA_CERTS: certificate } };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, ADDRESS, () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
