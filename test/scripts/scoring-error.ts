import { ScoringError } from 'scoring-server';
export function init() {}
export function run({ status }: { status: number }) {
  throw new ScoringError(status, `status ${status} it is`);
}
