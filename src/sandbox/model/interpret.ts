// Interpretation: a submission against the contracts as they are published now. Comes before deduplication, so a
// retry whose inputs are spent hears CONTRACT_NOT_FOUND, although its first attempt was accepted.
import type { Micros } from '../clock.js';
import { stakeholders } from '../daml/contracts.js';
import { interpretTransfer } from '../daml/transfer.js';
import { refuse } from '../errors.js';
import type { LedgerState } from './ledger-state.js';
import type { Node } from './records.js';
import type { Submission, Transaction } from './submission.js';

export function interpret(
  submission: Submission,
  state: LedgerState,
  now: Micros,
  contractId: () => string,
): Transaction {
  const effectiveAt = Math.max(now, submission.notBefore ?? 0);
  const readers = new Set([...submission.actAs, ...submission.readAs]);
  const consumed = new Set<string>();
  const nodes: Node[] = [];
  const informees = new Set<string>();
  const scene = {
    now: effectiveAt,
    actAs: new Set(submission.actAs),
    see: (id: string) => {
      if (consumed.has(id)) return null;
      const payload = state.contracts.active(id)?.payload;
      if (!payload) return undefined;
      const visible =
        submission.disclosed.has(id) || stakeholders(payload).some((party) => readers.has(party));
      return visible ? payload : undefined;
    },
  };
  for (const choice of submission.choices) {
    const effects = interpretTransfer(choice, scene);
    for (const party of stakeholders(effects.factory)) informees.add(party);
    const rootId = nodes.length;
    const lastNodeId = rootId + effects.archived.length + effects.created.length;
    nodes.push({ kind: 'exercise', nodeId: rootId, choice, lastNodeId });
    for (const id of effects.archived) {
      consumed.add(id);
      nodes.push({ kind: 'archive', nodeId: nodes.length, contractId: id });
    }
    for (const payload of effects.created) {
      for (const party of stakeholders(payload)) informees.add(party);
      nodes.push({ kind: 'create', nodeId: nodes.length, contractId: contractId(), payload });
    }
  }
  routeTo(state, submission.actAs, informees);
  return { effectiveAt, inputs: [...consumed], nodes };
}

/** Every party must be known to the topology; the participant finds out after interpretation, when it routes. */
function routeTo(state: LedgerState, submitters: readonly string[], informees: ReadonlySet<string>): void {
  const unknownSubmitters = submitters.filter((party) => !state.hasParty(party));
  if (unknownSubmitters.length > 0) {
    refuse('UNKNOWN_SUBMITTERS', `Some submitters are unknown: ${unknownSubmitters.join(', ')}`, {
      resources: unknownSubmitters.map((party) => ['PARTY', party]),
    });
  }
  const unknownInformees = [...informees].filter((party) => !state.hasParty(party));
  if (unknownInformees.length > 0) {
    refuse(
      'UNKNOWN_INFORMEES',
      `The participant is not connected to any synchronizer where the given informees are known: ${unknownInformees.join(', ')}`,
      {
        resources: unknownInformees.map((party) => ['PARTY', party]),
      },
    );
  }
}
