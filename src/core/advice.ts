// What a person does about a row that parked or failed, and about an instance that claims nothing: the one source for the
// page, the commands and the tables of docs/operations.md.
import type { BlockerPart } from './blockers.js';

export interface Advice {
  /** The codes it is for; `(other)` stands for every code without advice of its own. */
  readonly codes: readonly string[];
  /** One or two sentences; commands and settings between backticks. */
  readonly toDo: string;
  /** Where docs/runbooks.md says more: the heading. */
  readonly runbook?: { readonly title: string; readonly anchor: string };
}

/** What ends a parked row once that is done. */
export type End =
  /** `replay`: nothing of it has left, or what may have left is looked up first. */
  | 'replay'
  /** `replay --completed` or `--force-new`: only a person can find out what became of it, and a replay is refused or in vain. */
  | 'by-hand'
  /** `replay --force-new --hash` or `fail`: a replay would park it again. */
  | 'send-or-fail'
  /** `fail`: the ledger is certain that nothing moved, and a replay would find that again. */
  | 'fail'
  /** Nothing yet: what has happened has to be understood first. */
  | 'nothing-yet';

export interface ParkedAdvice extends Advice {
  readonly end: End;
}

const OTHER = '(other)';

const KEYS = { title: 'keys', anchor: 'keys-of-external-parties' };
const BY_HAND = {
  title: 'by hand',
  anchor: 'a-parked-row-whose-transfer-is-on-the-ledger-replay---completed',
};

/** In the order of the table. */
export const parkedAdvice: readonly ParkedAdvice[] = [
  {
    codes: ['UNKNOWN_TOKEN', 'TWO_STEP_TOKEN', 'REGISTRY_TOKEN', 'UNEXPECTED_OFFER'],
    toDo: '`TOKENS_FILE` lacks what the reason names: add it, and restart the instances.',
    end: 'replay',
  },
  {
    codes: ['HOLDING_UNKNOWN'],
    toDo: 'The template of the token\'s holdings is not known: describe it in `TOKENS_FILE` (`"holding"`), and restart the instances.',
    end: 'replay',
  },
  {
    codes: ['SCHEME'],
    toDo: 'Only V3 signs transfers of this token: the synchronizer needs protocol version 35, the participant 3.5.',
    end: 'replay',
  },
  {
    codes: ['KEY_UNREADABLE', 'MASTER_KEY_MISSING'],
    toDo: "The sender's key cannot be used here: put the right master key into `CANTON_MASTER_KEY`, and restart the instances.",
    runbook: KEYS,
    end: 'replay',
  },
  {
    codes: ['TAMPERED'],
    toDo: 'The participant prepared something other than what the row asks for, and nothing was signed. Do not replay until you know why: the participant may be compromised.',
    runbook: KEYS,
    end: 'nothing-yet',
  },
  {
    codes: ['BALANCE_HELD'],
    toDo: 'The sender has the money but cannot spend it (it is locked, in reassignment, on another synchronizer, or in holdings that the participant cannot read), or the participant does not host the sender. The reason says who has to do what.',
    end: 'replay',
  },
  {
    codes: ['UNPROVEN'],
    toDo: "The sender's balance looked too small, but each time the participant was behind a ledger end that it had reported earlier: it is a replica that lags, or was restored. Wait until it has caught up, or restart the instance.",
    end: 'replay',
  },
  {
    codes: ['FRAGMENTED'],
    toDo: 'The sender\'s money is spread over too many holdings for one transfer: merge them (or set the token\'s own limit as `"maxInputs"` in `TOKENS_FILE`).',
    end: 'replay',
  },
  {
    codes: ['HOLDINGS_UNREAD'],
    toDo: 'The sender has more holdings than the participant can list in ten seconds: merge them.',
    end: 'replay',
  },
  {
    codes: ['UNDECIDED'],
    toDo: 'Looks at the ledger have not found out what became of the submission: look for the transfer yourself. A replay only has it looked up again, which helps where the participant shows more than it did.',
    runbook: BY_HAND,
    end: 'by-hand',
  },
  {
    codes: ['PRUNED'],
    toDo: "The participant has pruned what would tell what became of the submission: look for the transfer elsewhere, such as on the receiver's participant.",
    runbook: BY_HAND,
    end: 'by-hand',
  },
  {
    codes: ['REPINNED', 'ANOTHER_PARTICIPANT'],
    toDo: 'It was sent on a participant that is no longer pinned, so a replay is refused: look for the transfer on the ledger.',
    runbook: BY_HAND,
    end: 'by-hand',
  },
  {
    codes: ['FOREIGN_ACCEPTANCE'],
    toDo: "The ledger accepted another transfer under this row's command id: compare the two. If our own data were wrong (a party in `users`, `TOKENS_FILE`), correct them; the update that the reason names then completes the row.",
    runbook: BY_HAND,
    end: 'by-hand',
  },
  {
    codes: ['OFFER_MADE'],
    toDo: 'The registry made an offer, although `TOKENS_FILE` says one step: set `"steps": 2` (and `"offerIsDone": true` if an offer counts as completed), and restart the instances.',
    runbook: BY_HAND,
    end: 'replay',
  },
  {
    codes: ['NOT_MOVED'],
    toDo: "The ledger accepted the transfer, but the token's rules moved nothing: ask the token's registry why. As long as the participant remembers the command (7 days by default), a replay finds this same acceptance and parks the row again.",
    end: 'fail',
  },
  {
    codes: ['LOST_DUPLICATE'],
    toDo: 'The ledger reports an acceptance of this row that it cannot show, so the row is never sent again automatically: look for the transfer on the ledger.',
    runbook: BY_HAND,
    end: 'by-hand',
  },
  {
    codes: ['SAME_NONCE'],
    toDo: 'Another transaction of the sender has used its nonce, or may have: ask whether both are intended. A replay would park it again.',
    end: 'send-or-fail',
  },
  {
    codes: ['UNKNOWN_SENDER'],
    toDo: 'The sender has no party in `users`, although the API only accepts registered senders: register it.',
    end: 'replay',
  },
  {
    codes: ['DEAD'],
    toDo: 'None of `MAX_ATTEMPTS` submissions was accepted, and none of them can still commit. What each was answered is in `canton-submitter show HASH`. Likely causes: the participant lacks a method or has a fault, a proxy refuses large requests, the network loses answers. Fix the cause.',
    end: 'replay',
  },
  {
    codes: ['BREAKER', 'UNKNOWN_INFORMEES', 'PACKAGE_NOT_VETTED_BY_RECIPIENTS'],
    toDo: "The cause is this receiver, or where this sender is hosted (as with other topology errors): fix that party's setup.",
    end: 'replay',
  },
  {
    codes: ['INTERNAL'],
    toDo: "A fault of our own met this row; nothing of it is under way. Report the log's `fault` with its stack, and install the version that fixes it.",
    end: 'replay',
  },
  {
    codes: ['PARKED_BY_HAND'],
    toDo: 'A person parked it with `park`, for the reason shown: settle that first.',
    end: 'replay',
  },
  {
    codes: [OTHER],
    toDo: 'The ledger refused it with this error `MAX_ATTEMPTS` times: read the error, fix the cause.',
    end: 'replay',
  },
];

/** A failed row is final, so this is about the person who sent it. */
export const failedAdvice: readonly Advice[] = [
  {
    codes: ['INSUFFICIENT_BALANCE'],
    toDo: 'Nothing to do here. The sender may send a new transaction once the balance covers it.',
  },
  {
    codes: ['UNKNOWN_RECIPIENT'],
    toDo: 'Register the recipient in `users`; the sender then sends a new transaction.',
  },
  {
    codes: ['NO_SIGNING_KEY'],
    toDo: 'This sender keeps its own key, by its own choice: it has to submit on the ledger itself.',
  },
  {
    codes: ['DAML_FAILURE', 'UNHANDLED_EXCEPTION', 'INTERPRETATION_USER_ERROR'],
    toDo: "The token's own rules refused this transfer; the reason has their words. Ask the token's issuer if they surprise you.",
  },
  {
    codes: ['FAILED_BY_HAND'],
    toDo: 'A person failed it with `fail`; the audit says who. The sender may send a new transaction.',
  },
  {
    codes: [OTHER],
    toDo: 'The transaction itself cannot be paid. The sender has to send a correct one; if many fail, look at the API or the wallet that makes them.',
  },
];

/** Each part that can keep an instance from claiming, or from working well. */
export const blockerAdvice: Readonly<Record<BlockerPart, string>> = {
  database:
    'Check the database and `DATABASE_URL`. It is tried again at least every 5 s; known outcomes are kept meanwhile.',
  pins: 'Do what the reason says; some pass by themselves. Only if it names a setting: correct that setting here and restart; change the pin only if the new value is meant for all instances.',
  halted:
    'A bound that money rests on did not hold: docs/runbooks.md, "Halted", then `canton-submitter migrate --tolerance MS`.',
  participant:
    'Do what the reason says. If it only says that nobody answers, check `CANTON_URL` and the participant. If another participant answers, point it back; rows wait, and nothing is lost.',
  listener:
    'Notifications do not arrive, so the poll finds the rows: slower, not wrong. Behind a pooler, set `DATABASE_LISTEN_URL`.',
  breaker:
    'The participant refuses everybody. Do what the reason says: buy traffic, renew the token, reconnect or restart the participant, or correct its clock. The breaker closes by itself; restarting instances does not help.',
  clocks: 'Set the clocks of the database and of the ledger by NTP.',
  mark: 'Undecided rows wait; nothing else does. Grant the rights for their parties again, or let the token read the participant id; otherwise follow docs/runbooks.md, "The participant can no longer show any mark", `migrate --remark`.',
  schema: 'Run `canton-submitter migrate`.',
  snapshot: 'End the session that is named: until then vacuum cannot clean up, and claims become slower.',
  webhooks:
    'Fix the receiver at `WEBHOOK_URL`, as the reason says: each outcome is delivered by itself once it answers. Transfers go on meanwhile.',
  paused: 'A person paused it, for the reason shown, which names the command that ends the pause.',
  stopping: 'It was asked to stop, and another instance takes over.',
};

/** `BALANCE_HELD: 12 of …` → `BALANCE_HELD`; null where the reason has no code. */
export const codeOf = (reason: string): string | null => /^([A-Z][A-Z0-9_]*)\b:?/.exec(reason)?.[1] ?? null;

/** What to do about a failed row with this reason (`CODE: detail`). */
export const failedAdviceFor = (reason: string): Advice => adviceFor(failedAdvice, codeOf(reason));

/** What of a parked row decides what comes next. */
export interface ParkedRow {
  readonly reason: string;
  /** A submission of it may still commit. */
  readonly undecided: boolean;
  /** It was sent on a participant that is no longer pinned, whatever it parked for before: `replay` refuses it. */
  readonly elsewhere: boolean;
}

/** What to do about a parked row. Never a replay that would be refused, in vain, or dangerous. */
export function parkedAdviceFor({ reason, undecided, elsewhere }: ParkedRow): ParkedAdvice {
  const advice = adviceFor(parkedAdvice, elsewhere ? 'ANOTHER_PARTICIPANT' : codeOf(reason));
  // A failover made it doubtful whether it was sent: nobody may send or fail it before a look has told.
  return undecided && advice.end === 'send-or-fail' ? { ...advice, toDo: LOOK_FIRST, end: 'replay' } : advice;
}

const LOOK_FIRST =
  'Since a failover or a restore nobody knows whether it was sent: a replay looks that up. If it was not, it parks for its nonce again.';

function adviceFor<A extends Advice>(list: readonly A[], code: string | null): A {
  const found =
    list.find(({ codes }) => code !== null && codes.includes(code)) ??
    list.find(({ codes }) => codes.includes(OTHER));
  if (found === undefined) throw new Error('no advice for other codes');
  return found;
}

/** The commands that end this row; null: none yet. */
export function endOf(end: End, hash: string): string | null {
  switch (end) {
    case 'replay':
      return `\`canton-submitter replay --hash ${hash}\``;
    case 'by-hand':
      return `if it is there, \`canton-submitter replay --completed ${hash} --update ID\`; if it was never made and cannot be any more, \`canton-submitter replay --force-new --hash ${hash}\``;
    case 'send-or-fail':
      return `if this one is intended too, \`canton-submitter replay --force-new --hash ${hash}\`; if not, \`canton-submitter fail ${hash} --reason TEXT\``;
    case 'fail':
      return `\`canton-submitter fail ${hash} --reason TEXT\``;
    case 'nothing-yet':
      return null;
  }
}

/** The same for all rows that parked for this reason. */
export const endOfAll = (end: End, reason: string): string | null => {
  const code = codeOf(reason);
  return end === 'replay' && code !== null
    ? `\`canton-submitter replay --parked --error '${code}:'\``
    : endOf(end, 'HASH');
};
