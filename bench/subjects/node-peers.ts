/** Servers that a user would write on Node, and the floor of their cost. */

import { fileURLToPath } from 'node:url';
import { byName, type Case } from '../cases.ts';
import { json, startHttp } from '../http-subject.ts';
import { ADDRESS, type Place, type Running, type Subject } from '../subject.ts';

function start(script: string, row: Case, { port, folder }: Place, args: readonly string[]): Promise<Running> {
  const base = `http://${ADDRESS}:${port}`;
  return startHttp({
    command: { file: process.execPath, args: [fileURLToPath(new URL(script, import.meta.url)), String(port), ...args], folder },
    url: `${base}/score`,
    body: JSON.stringify({ inputs: byName(row) }),
    slow: row.slow,
    ready: `${base}/health/live`,
    health: `${base}/health/live`,
    predictions: (answer) => (json(answer) as { outputs: Record<string, unknown> }).outputs[row.output],
  });
}

export const naive: Subject = {
  name: 'naive',
  title: '20 lines of fastify + onnxruntime-node, one process, default threads',
  start: (row, place) => start('./naive-server.ts', row, place, [row.file, row.output]),
};

/**
 * By default ONNX Runtime keeps a thread for each core spinning, which costs small models more than
 * it brings.
 */
export const naiveOneThread: Subject = {
  name: 'naive-1t',
  title: 'naive, tuned: ONNX Runtime with one thread',
  start: (row, place) => start('./naive-server.ts', row, place, [row.file, row.output, '1']),
};

export const naiveCluster: Subject = {
  name: 'cluster',
  title: 'naive in a cluster of two processes (node:cluster), ONNX Runtime with one thread in each',
  start: (row, place) => start('./naive-cluster.ts', row, place, [row.file, row.output, '1']),
};

export const bare: Subject = {
  name: 'bare',
  title: 'fastify that parses the body and answers a constant, without a model',
  start: (row, place) => start('./bare-server.ts', row, place, [JSON.stringify({ outputs: { [row.output]: row.expected } })]),
};
