import { ScoringError } from 'scoring-server';
export function init() {}
export function run() {
  throw new ScoringError(418, 'a teapot');
}
