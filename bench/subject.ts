/** A subject of the bench: it can be started for a model, loaded and stopped. */

import type { Case } from './cases.ts';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were not 2xx, broken connections, and requests without an answer. */
  readonly errors: number;
}

export interface Running {
  readonly pid: number;
  /** From the start of the process to its first 200 from the readiness probe. */
  readonly readyMs: number;
  /** Address of a health probe, asked while the load runs. */
  readonly health?: string;
  /** Asks for the row once; answers the predictions. */
  ask(): Promise<readonly number[]>;
  load(seconds: number, connections: number): Promise<Load>;
  stop(): Promise<void>;
}

export interface Place {
  /** A free port of 127.0.0.1. */
  readonly port: number;
  /** An empty folder for whatever the subject writes; it is removed afterwards. */
  readonly folder: string;
}

export interface Subject {
  readonly name: string;
  /** What it is and how it is set up, for the report. */
  readonly title: string;
  /** Installs its packages and returns their versions. @throws if this machine cannot have it */
  prepare?(): Promise<string>;
  start(row: Case, place: Place): Promise<Running>;
}

export const ADDRESS = '127.0.0.1';
