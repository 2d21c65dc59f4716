import { hash } from 'node:crypto';
import type { Caller } from './access.ts';

interface Verified {
  readonly caller: Caller;
  /** `Date.now()` from which the token has to be verified again. */
  readonly until: number;
}

const MOST = 1000;
const LONGEST_MS = 60_000;

/**
 * Tokens that were verified a short time ago, by their hashes. Measured on two cores: 1.3 us in
 * place of 100 us of CPU time for a token of RS256, and 190 us for one of ES256.
 */
export class VerifiedTokens {
  readonly #verified = new Map<string, Verified>();
  #generation = 0;

  /** Changes with the keys: what was verified with others is not added. */
  get generation(): number {
    return this.#generation;
  }

  get(token: string): Caller | undefined {
    const found = this.#verified.get(digest(token));
    return found === undefined || Date.now() >= found.until ? undefined : found.caller;
  }

  /**
   * @param expiresAt seconds since 1970
   * @param generation at the start of the verification
   */
  add(token: string, caller: Caller, expiresAt: number, generation = this.#generation): void {
    if (generation !== this.#generation) return;
    const key = digest(token);
    this.#verified.delete(key);
    this.#verified.set(key, { caller, until: Math.min(expiresAt * 1000, Date.now() + LONGEST_MS) });
    if (this.#verified.size <= MOST) return;
    for (const oldest of this.#verified.keys()) {
      this.#verified.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#generation++;
    this.#verified.clear();
  }
}

const digest = (token: string): string => hash('sha256', token, 'base64');
