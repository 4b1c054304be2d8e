// Faults as data: what can be asked for over HTTP or from code. The schemas are the types' only source.
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
/** An answer without Canton's details, as a proxy or the transport gives it. */
const bareStatus = z.strictObject({ grpc: grpcCode, message: z.string().optional() });
const answer = z.union([cantonError, bareStatus]);

/** Which calls: any of these that is given has to match. */
const match = z.strictObject({
  commandId: z.string().optional(),
  /** One of act_as, of the stream's parties, or of the filter's. */
  party: z.string().optional(),
  receiver: z.string().optional(),
  userId: z.string().optional(),
  probability: z.number().min(0).max(1).optional(),
});

const action = z.discriminatedUnion('kind', [
  /** Refused at once, before anything is looked at. */
  z.strictObject({ kind: z.literal('refuse'), with: answer }),
  /** Sequenced, then rejected: a completion says so. */
  z.strictObject({ kind: z.literal('reject'), with: cantonError }),
  /**
   * The command goes through, its answer does not: `never` (open until the deadline), `disconnect` (the whole
   * connection dies), or another answer than the true one.
   */
  z.strictObject({ kind: z.literal('dropAnswer'), how: z.union([z.enum(['never', 'disconnect']), answer]) }),
  /** Never answered. The request never reaches the participant, or does so this much later. */
  z.strictObject({ kind: z.literal('hang'), deliverAfterMs: ms.optional() }),
  /** The request is this long on its way to the participant, whether or not the caller still waits. */
  z.strictObject({ kind: z.literal('deliverLate'), ms }),
  /** The network delivers the request a second time, this much after the first. */
  z.strictObject({ kind: z.literal('deliverTwice'), afterMs: ms.optional() }),
  /** Accepted by the participant, but this much longer on its way to the sequencer. */
  z.strictObject({ kind: z.literal('sequenceLate'), ms }),
  /** Sequenced in time, decided this much later; past the mediator's limit it is rejected. */
  z.strictObject({ kind: z.literal('decideLate'), ms }),
  /** Any call, reads too: handled this much later. */
  z.strictObject({ kind: z.literal('slow'), ms }),
  /** A stream breaks after so many messages. */
  z.strictObject({ kind: z.literal('breakStream'), afterMessages: z.int().min(0), with: answer }),
  /**
   * Somebody else used this command id: when the submission arrives, the ledger already has an acceptance of it, with
   * another submission id, of the same or of another transfer.
   */
  z.strictObject({ kind: z.literal('foreignAcceptance'), transfer: z.enum(['same', 'other']) }),
  /** DUPLICATE_COMMAND of an acceptance that is nowhere; `absent` leaves the offset out. */
  z.strictObject({
    kind: z.literal('phantomDuplicate'),
    completionOffset: z.union([z.int(), z.literal('absent')]).optional(),
  }),
  /** On `StateService/GetActiveContracts`: interface views cannot be computed, of these contracts or of all. */
  z.strictObject({ kind: z.literal('viewFails'), contractIds: z.array(z.string()).optional() }),
  /** A registry's HTTP answer of that status. */
  z.strictObject({ kind: z.literal('httpStatus'), status: z.int().min(400).max(599) }),
  /** A registry's answer that is none, or lacks what the ledger wants, or says the wrong thing. */
  z.strictObject({
    kind: z.literal('wrongAnswer'),
    what: z.enum(['noJson', 'noFactory', 'noContext', 'noDisclosure', 'otherFactory', 'otherKind', 'huge']),
  }),
  /** A registry's choice context holds a value of every kind that there is, beside what the ledger wants. */
  z.strictObject({ kind: z.literal('moreContext') }),
  /** `PrepareSubmission` returns something else than was asked for; its hash, but for `hash`, is its content's. */
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
  /** A participant that lies executes what was signed with a maximum record time an hour later. */
  z.strictObject({ kind: z.literal('extendBound') }),
]);

export const faultSchema = z.strictObject({
  /** `submit`: every submission. `*`: every call. Else `Service/Method`. */
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

/** Of the token standard: with an end, after a while (which nobody can judge from outside), or for ever. */
const lockSchema = z.strictObject({
  /** From now, on the participant's clock; below 0 it has ended. */
  endsInMs: z.number().optional(),
  forMs: ms.optional(),
  /** Default: the instrument's admin. */
  holders: z.array(z.string()).min(1).optional(),
  context: z.string().optional(),
});
export type LockSpec = z.infer<typeof lockSchema>;

export const holdingSchema = z.strictObject({
  /** A token's symbol or contract address, or any instrument id of the issuer. */
  token: z.string().min(1),
  /** Decimal, in whole tokens; at most 10 places. */
  amount: z.union([z.string(), z.number()]).transform((amount) => `${amount}`),
  count: z.int().min(1).max(100_000).optional(),
  locked: z.union([z.boolean(), lockSchema]).optional(),
});

export const partySchema = z.strictObject({
  /** A full party id; absent: made of the hint. */
  party: z.string().optional(),
  hint: z.string().optional(),
  /** Hosted nowhere with the right to submit: it signs for itself, with secp256k1. */
  external: z.literal(true).optional(),
  /** Of an external party whose key is elsewhere: SubjectPublicKeyInfo or a bare point, hex or base64. */
  publicKey: z.string().optional(),
  holdings: z.array(holdingSchema).optional(),
});

export type PartySpec = z.input<typeof partySchema>;

/** What befalls the participant as a whole. */
export const controlSchema = z.discriminatedUnion('kind', [
  /** Connections are refused and those open are cut; the ledger goes on. */
  z.strictObject({ kind: z.literal('down') }),
  z.strictObject({ kind: z.literal('up') }),
  z.strictObject({ kind: z.literal('restart'), downMs: ms.optional() }),
  /** Cuts connections, and takes new ones at once. */
  z.strictObject({ kind: z.literal('disconnect') }),
  /**
   * Another participant answers from the next call on, over the connections that are open. One that was here before
   * comes back with the ledger it had; a new one starts `empty`, or with a `copy` of the present ledger.
   */
  z.strictObject({
    kind: z.literal('identity'),
    participantId: z.string().min(1),
    ledger: z.enum(['empty', 'copy']).optional(),
  }),
  /** A backup of this participant is restored: what came after that offset is forgotten. */
  z.strictObject({ kind: z.literal('restore'), offset: z.int().min(0) }),
  /** `dedup`: deduplication data goes too, which no real participant lets happen to its newest window. */
  z.strictObject({
    kind: z.literal('prune'),
    offset: z.int().min(1).optional(),
    dedup: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('quiet'), mode: z.enum(['off', 'silent', 'stale']) }),
  z.strictObject({ kind: z.literal('dedup'), on: z.boolean() }),
  z.strictObject({ kind: z.literal('clockSkew'), ms: z.number(), participantMs: z.number().optional() }),
  /** Literal milliseconds from submission to answer; absent: like a real ledger. */
  z.strictObject({ kind: z.literal('latency'), ms: ms.optional() }),
  /** Another application of the party moves its unlocked holdings: away, or into new ones of the same sum. */
  z.strictObject({
    kind: z.literal('spend'),
    party: z.string(),
    token: z.string().optional(),
    keep: z.boolean().optional(),
  }),
  /** The holders of the locks on what a party holds release them. */
  z.strictObject({ kind: z.literal('release'), party: z.string(), token: z.string().optional() }),
  /**
   * What a party holds leaves for another synchronizer: known to have left (`unassigned`), known to have arrived there
   * (`assigned`), both (`away`), and back (`here`).
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
  /** Where a party is, as topology has it; `back` is where it was. */
  z.strictObject({
    kind: z.literal('topology'),
    party: z.string(),
    is: z.enum(['unknown', 'inactive', 'onboarding', 'back']),
  }),
  /** The party's account of traffic (from 3.5.7 on); null: it has none, as at first. */
  z.strictObject({ kind: z.literal('traffic'), party: z.string(), balance: z.int().nullable() }),
  /** What the synchronizer makes of everything from now on. */
  z.strictObject({
    kind: z.literal('network'),
    mode: z.enum(['fine', 'unconfirmed', 'unsequenced', 'refusing']),
  }),
  /** So many submissions at a time that callers wait for; one more is PARTICIPANT_BACKPRESSURE. */
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
