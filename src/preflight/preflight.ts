// The quick checks, which `run` makes before anything is pinned and `doctor` at any time.

import { lasting } from '../core/words.js';
import type { CallOptions } from '../ports/ledger.js';
import { type Asked, askFacts, type Facts } from './facts.js';
import { type Finding, unread, wait } from './finding.js';
import { participantFindings } from './participant.js';
import { tokenFindings } from './tokens.js';

/** How long each read of a check may take. Longer, and somebody who waits for `run` or `doctor` would rather know. */
export const CHECK_READ_MS = 10_000;

export interface Preflight {
  readonly findings: readonly Finding[];
  /** Null: nobody answered. */
  readonly facts: Facts | null;
}

export async function preflight(asked: Asked, options: CallOptions): Promise<Preflight> {
  const facts = await askFacts(asked, options);
  if ('kind' in facts) {
    const { detail } = facts.refusal;
    const finding = asked.ledger.ready()
      ? unread('version', facts, { what: 'the API version', todo: 'check CANTON_URL' })
      : wait(
          'version',
          `the participant cannot be reached: ${lasting(detail)}`,
          'check CANTON_URL, the network and TLS',
        );
    return { findings: [finding], facts: null };
  }
  const { settings } = asked;
  return {
    findings: [...participantFindings(facts, settings), ...tokenFindings(facts, settings)],
    facts,
  };
}
