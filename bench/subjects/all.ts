import type { Subject } from '../subject.ts';
import { bare, naive, naiveCluster, naiveOneThread } from './node-peers.ts';
import { ours, oursBinary, oursCollects, oursCollectsTenth, oursLogs } from './ours.ts';
import { oursPython } from './ours-python.ts';
import { oursTelemetry } from './ours-telemetry.ts';
import { pythonPeers } from './python-peers.ts';
import { rawLoop } from './raw-loop.ts';

export const subjects: readonly Subject[] = [
  ours,
  oursLogs,
  oursTelemetry,
  oursBinary,
  oursCollects,
  oursCollectsTenth,
  oursPython,
  naive,
  naiveOneThread,
  naiveCluster,
  bare,
  rawLoop,
  ...pythonPeers,
];
export const peerNames: readonly string[] = pythonPeers.map(({ name }) => name);
