// What the simulated protocol decides by: the real decisions of src/protocol, and the guards that statements and instances
// keep. A mutant takes one of them out, and the property must miss it.
import { decide } from '../../../src/protocol/decide.js';
import { lookAt } from '../../../src/protocol/look.js';
import { beginBefore, observeProof } from '../../../src/protocol/proof.js';

export interface Rules {
  readonly decide: typeof decide;
  readonly lookAt: typeof lookAt;
  readonly beginBefore: typeof beginBefore;
  readonly observeProof: typeof observeProof;
  /** I2: a settle writes through the token that holds the row now. */
  readonly fence: boolean;
  /** Rule 1: the record is durable before the request leaves. */
  readonly writeAhead: boolean;
  /** Rule 2: the ledger refuses what arrives past the bound that was written. */
  readonly bound: boolean;
  /** Rule 2: a hosted transfer of two steps knows no bound, and its record says so. */
  readonly twoStepRecord: boolean;
  /** Rule 4: a look begins where its submission was sent from, whatever is known since (P1). */
  readonly sentFrom: boolean;
  /** Rule 4: an undecided row is looked at, and nothing else. */
  readonly look: boolean;
  /** Rule 4: it asks for the party that was sent with. */
  readonly recordParty: boolean;
  /** P8: no death is read from a stream that has not proven itself. */
  readonly proof: boolean;
  /** Rule 4: whose the acceptance is, its content tells where the id does not. */
  readonly content: boolean;
  /** Rule 4: what a `DUPLICATE_COMMAND` speaks of has to be found. */
  readonly chase: boolean;
  /** P20: each compares the timeline in its statement. */
  readonly timeline: {
    readonly claim: boolean;
    readonly writeAhead: boolean;
    readonly settle: boolean;
    readonly marks: boolean;
  };
  /** P20: what a recheck does to each pending row. */
  readonly recheck: {
    readonly takesToken: boolean;
    readonly widens: boolean;
    readonly forgetsId: boolean;
    readonly rowsWithoutRecord: boolean;
    readonly allowsForSkew: boolean;
    /** Its generation is like none that the lost part of the log may have had. */
    readonly newGeneration: boolean;
    /** LANES=holdings: what the row spends. */
    readonly forgetsInputs: boolean;
  };
  /** P20: `failed` looks first where the row itself may have been lost and inserted again. */
  readonly lookBeforeFailed: boolean;
  /** P20: and what may have been sent of two steps for it has no bound that could rule it out. */
  readonly lookWithoutBound: boolean;
  /** I6, with LANES=holdings. */
  readonly holdings: {
    /** One row of a sender at a time is on its way to its record. */
    readonly oneAtATime: boolean;
    /** What is reserved is read before the holdings. */
    readonly readBefore: boolean;
    /** The reservation looks at the party's other rows, at the sender's lower ones, and at the token. */
    readonly reservedOnce: boolean;
    readonly lowestFirst: boolean;
    readonly fence: boolean;
    /** What is reserved stays so while nothing is known. */
    readonly kept: boolean;
    /** A row whose submission nobody remembers may spend any holding, until it is parked. */
    readonly unknownIsAnything: boolean;
    readonly parkedStepsAside: boolean;
    /** A row waits for so long at most. */
    readonly waitsSoLong: boolean;
    /** P28: `failed` is for too little of everything, reserved or not. */
    readonly reservedCounts: boolean;
  };
}

export const built: Rules = {
  decide,
  lookAt,
  beginBefore,
  observeProof,
  fence: true,
  writeAhead: true,
  bound: true,
  twoStepRecord: true,
  sentFrom: true,
  look: true,
  recordParty: true,
  proof: true,
  content: true,
  chase: true,
  timeline: { claim: true, writeAhead: true, settle: true, marks: true },
  recheck: {
    takesToken: true,
    widens: true,
    forgetsId: true,
    rowsWithoutRecord: true,
    allowsForSkew: true,
    newGeneration: true,
    forgetsInputs: true,
  },
  lookBeforeFailed: true,
  lookWithoutBound: true,
  holdings: {
    oneAtATime: true,
    readBefore: true,
    reservedOnce: true,
    lowestFirst: true,
    fence: true,
    kept: true,
    unknownIsAnything: true,
    parkedStepsAside: true,
    waitsSoLong: true,
    reservedCounts: true,
  },
};
