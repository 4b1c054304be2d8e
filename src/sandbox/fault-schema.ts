// Faults as data, as requested over HTTP or from code. The schemas are the only source of the types.
import { status as Grpc } from '@grpc/grpc-js';
import { z } from 'zod';
import { isErrorId } from './errors.js';
import { rightsSchema } from './rights.js';

const ms = z.number().min(0);
const errorId = z.string().refine(isErrorId, { error: (issue) => `unknown Canton error id ${issue.input}` });
const grpcCode = z.enum(
  Object.keys(Grpc).filter((name) => Number.isNaN(Number(name)) && name !== 'OK') as [keyof typeof Grpc],
);

const cantonError = z.strictObject({
  error: errorId,
  cause: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  retryAfterMs: ms.optional(),
});
/** An answer without Canton's details, as from a proxy or the transport. */
const bareStatus = z.strictObject({ grpc: grpcCode, message: z.string().optional() });
const answer = z.union([cantonError, bareStatus]);

/** Which calls: each given condition has to match. */
const match = z.strictObject({
  commandId: z.string().optional(),
  /** One of act_as, of the stream's parties, or of the filter's. */
  party: z.string().optional(),
  receiver: z.string().optional(),
  userId: z.string().optional(),
  probability: z.number().min(0).max(1).optional(),
});

const action = z.discriminatedUnion('kind', [
  /** Refused at once, before anything is checked. */
  z.strictObject({ kind: z.literal('refuse'), with: answer }),
  /** Sequenced, then rejected, which a completion reports. */
  z.strictObject({ kind: z.literal('reject'), with: cantonError }),
  /**
   * The command goes through, but not its answer: `never` (open until the deadline), `disconnect` (the whole
   * connection dies), or another answer than the true one.
   */
  z.strictObject({ kind: z.literal('dropAnswer'), how: z.union([z.enum(['never', 'disconnect']), answer]) }),
  /** Never answered. The request does not reach the participant, or only this much later. */
  z.strictObject({ kind: z.literal('hang'), deliverAfterMs: ms.optional() }),
  /** The request takes this long to reach the participant, whether or not the caller still waits. */
  z.strictObject({ kind: z.literal('deliverLate'), ms }),
  /** The network delivers the request a second time, this long after the first. */
  z.strictObject({ kind: z.literal('deliverTwice'), afterMs: ms.optional() }),
  /** Accepted by the participant, but takes this much longer to reach the sequencer. */
  z.strictObject({ kind: z.literal('sequenceLate'), ms }),
  /** Sequenced in time, but decided this much later; rejected if that is past the mediator's limit. */
  z.strictObject({ kind: z.literal('decideLate'), ms }),
  /** Any call, including reads: handled this much later. */
  z.strictObject({ kind: z.literal('slow'), ms }),
  /** The stream breaks after this many messages. */
  z.strictObject({ kind: z.literal('breakStream'), afterMessages: z.int().min(0), with: answer }),
  /**
   * Something in between ends the stream this long after it was opened, whatever it has sent: by default with the answer of
   * envoy's time-out, `end`: as if there were nothing more.
   */
  z.strictObject({
    kind: z.literal('cutStreams'),
    afterMs: ms,
    with: z.union([z.literal('end'), answer]).optional(),
  }),
  /**
   * Somebody else has used this command id: when the submission arrives, the ledger already has an acceptance of it,
   * with another submission id, for the same or another transfer.
   */
  z.strictObject({ kind: z.literal('foreignAcceptance'), transfer: z.enum(['same', 'other']) }),
  /** DUPLICATE_COMMAND for an acceptance that does not exist; `absent` leaves the offset out. */
  z.strictObject({
    kind: z.literal('phantomDuplicate'),
    completionOffset: z.union([z.int(), z.literal('absent')]).optional(),
  }),
  /** For `StateService/GetActiveContracts`: the interface views of these contracts, or of all, cannot be computed. */
  z.strictObject({ kind: z.literal('viewFails'), contractIds: z.array(z.string()).optional() }),
  /** For `StateService/GetConnectedSynchronizers`: none, for any party, as while the participant reconnects. */
  z.strictObject({ kind: z.literal('tellsNoSynchronizer') }),
  /** For `StateService/GetLedgerEnd`: this is told, as by a replica that lags. */
  z.strictObject({ kind: z.literal('tellsEnd'), offset: z.int().min(0) }),
  /** A registry answers with that HTTP status. */
  z.strictObject({ kind: z.literal('httpStatus'), status: z.int().min(400).max(599) }),
  /** A registry's answer is not an answer, or lacks what the ledger needs, or says the wrong thing. */
  z.strictObject({
    kind: z.literal('wrongAnswer'),
    what: z.enum(['noJson', 'noFactory', 'noContext', 'noDisclosure', 'otherFactory', 'otherKind', 'huge']),
  }),
  /** A registry's choice context contains a value of every kind, in addition to what the ledger needs. */
  z.strictObject({ kind: z.literal('moreContext') }),
  /**
   * `PrepareSubmission` returns something other than what was asked for. Its hash matches its content, except for
   * `hash`.
   */
  z.strictObject({
    kind: z.literal('tamper'),
    what: z.enum([
      'receiver',
      'amount',
      'instrument',
      'change',
      'extraNode',
      'extraInput',
      'extraRoot',
      'hash',
      'noMaxRecordTime',
      'lateMaxRecordTime',
      'commandId',
      'otherParty',
      'synchronizer',
      'promise',
    ]),
  }),
  /** `PrepareSubmission`: the factory is found by a contract key, which only hashing scheme V3 covers. */
  z.strictObject({ kind: z.literal('contractKeys') }),
  /** A lying participant executes what was signed with a maximum record time one hour later. */
  z.strictObject({ kind: z.literal('extendBound') }),
]);

export const faultSchema = z.strictObject({
  /** `submit`: every submission. `*`: every call. Otherwise `Service/Method`. */
  on: z.string().regex(/^(submit|\*|\w+\/\w+)$/, { error: 'expected "submit", "*" or "Service/Method"' }),
  match: match.optional(),
  /** How many calls; absent: until it is removed. */
  times: z.int().min(1).optional(),
  do: action,
});

export type Fault = z.infer<typeof faultSchema>;
export type FaultAction = z.infer<typeof action>;
export type FaultAnswer = z.infer<typeof answer>;
export type CantonErrorSpec = z.infer<typeof cantonError>;

/**
 * The token standard's locks: with an end, after a duration (which nobody can judge from outside), or without an end.
 */
const lockSchema = z.strictObject({
  /** From now, on the participant's clock; below 0 it has ended already. */
  endsInMs: z.number().optional(),
  forMs: ms.optional(),
  /** Default: the instrument's admin. */
  holders: z.array(z.string()).min(1).optional(),
  context: z.string().optional(),
});
export type LockSpec = z.infer<typeof lockSchema>;

const holdingSchema = z.strictObject({
  /** A token's symbol or contract address, or any instrument id of the issuer. */
  token: z.string().min(1),
  /** Decimal, in whole tokens; at most 10 places. */
  amount: z.union([z.string(), z.number()]).transform((amount) => `${amount}`),
  count: z.int().min(1).max(100_000).optional(),
  locked: z.union([z.boolean(), lockSchema]).optional(),
});

export const partySchema = z.strictObject({
  /** A full party id; absent: derived from the hint. */
  party: z.string().optional(),
  hint: z.string().optional(),
  /** External: no participant has the right to submit for it, and it signs for itself, with secp256k1. */
  external: z.literal(true).optional(),
  /** For an external party whose key is elsewhere: SubjectPublicKeyInfo or a bare point, hex or base64. */
  publicKey: z.string().optional(),
  holdings: z.array(holdingSchema).optional(),
});

export type PartySpec = z.input<typeof partySchema>;

/** Changes to the participant as a whole. */
export const controlSchema = z.discriminatedUnion('kind', [
  /** Connections are refused and open ones are cut; the ledger goes on. */
  z.strictObject({ kind: z.literal('down') }),
  z.strictObject({ kind: z.literal('up') }),
  z.strictObject({ kind: z.literal('restart'), downMs: ms.optional() }),
  /** Cuts connections, and accepts new ones at once. */
  z.strictObject({ kind: z.literal('disconnect') }),
  /**
   * Another participant answers from the next call on, over the open connections. One that was here before returns
   * with the ledger it had; a new one starts `empty`, or with a `copy` of the present ledger.
   */
  z.strictObject({
    kind: z.literal('identity'),
    participantId: z.string().min(1),
    ledger: z.enum(['empty', 'copy']).optional(),
  }),
  /** A backup of this participant is restored: everything after that offset is forgotten. */
  z.strictObject({ kind: z.literal('restore'), offset: z.int().min(0) }),
  /** `dedup`: also drops deduplication data, which no real participant does to its newest window. */
  z.strictObject({
    kind: z.literal('prune'),
    offset: z.int().min(1).optional(),
    dedup: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('quiet'), mode: z.enum(['off', 'silent', 'stale']) }),
  z.strictObject({ kind: z.literal('dedup'), on: z.boolean() }),
  z.strictObject({ kind: z.literal('clockSkew'), ms: z.number(), participantMs: z.number().optional() }),
  /** How long a submission takes, not scaled; absent: like a real ledger. */
  z.strictObject({ kind: z.literal('latency'), ms: ms.optional() }),
  /** Another application of the party moves its unlocked holdings: away, or into new ones with the same total. */
  z.strictObject({
    kind: z.literal('spend'),
    party: z.string(),
    token: z.string().optional(),
    keep: z.boolean().optional(),
  }),
  /** The holders of the locks on a party's holdings release them. */
  z.strictObject({ kind: z.literal('release'), party: z.string(), token: z.string().optional() }),
  /**
   * A party's holdings move to another synchronizer: only their leaving is known (`unassigned`), only their arrival
   * (`assigned`), or both (`away`); and back (`here`).
   */
  z.strictObject({
    kind: z.literal('reassign'),
    party: z.string(),
    token: z.string().optional(),
    to: z.enum(['unassigned', 'assigned', 'away', 'here']),
  }),
  /** An acceptance of this command id that is a transfer of the party to itself. */
  z.strictObject({
    kind: z.literal('foreignAcceptance'),
    commandId: z.string(),
    party: z.string(),
    userId: z.string().optional(),
    submissionId: z.string().optional(),
  }),
  /** Where a party is, according to topology; `back` is where it was. */
  z.strictObject({
    kind: z.literal('topology'),
    party: z.string(),
    is: z.enum(['unknown', 'inactive', 'onboarding', 'back']),
  }),
  /** The party's traffic account (from 3.5.7 on); null: it has none, as at first. */
  z.strictObject({ kind: z.literal('traffic'), party: z.string(), balance: z.int().nullable() }),
  /** What the synchronizer does with everything from now on. */
  z.strictObject({
    kind: z.literal('network'),
    mode: z.enum(['fine', 'unconfirmed', 'unsequenced', 'refusing']),
  }),
  /** The most submissions that callers may wait for at once; one more is PARTICIPANT_BACKPRESSURE. */
  z.strictObject({ kind: z.literal('inFlight'), most: z.int().min(0) }),
  /** From now on calls need this token (null: none); streams opened with another one break. */
  z.strictObject({ kind: z.literal('token'), token: z.string().nullable() }),
  /** From now on the user may do this; what is left out is as at the start. */
  z.strictObject({ kind: z.literal('rights'), rights: rightsSchema }),
]);

export type Control = z.input<typeof controlSchema>;

/** All problems in one line, each with its place. */
export function problems(error: z.ZodError): string {
  return describe(error.issues, []).join('; ');
}

function describe(issues: readonly z.core.$ZodIssue[], at: readonly PropertyKey[]): string[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) {
      return [`${path.map(String).join('.') || 'body'}: ${issue.message}`];
    }
    return [issue.errors.map((branch) => describe(branch, path).join(' and ')).join(', or ')];
  });
}
