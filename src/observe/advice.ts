// What a person does about a row that parked or failed, and about an instance that claims nothing: the one source for the
// page, the commands and the table of docs/operations.md.
import type { NotReady } from './events.js';

export interface Advice {
  /** The codes it is for; `(other)` stands for every code without advice of its own. */
  readonly codes: readonly string[];
  /** One or two sentences; commands and settings between backticks. */
  readonly toDo: string;
  /** Where docs/runbooks.md says more: the heading. */
  readonly runbook?: { readonly title: string; readonly anchor: string };
}

const OTHER = '(other)';

/** In the order of the table. */
export const parkedAdvice: readonly Advice[] = [
  {
    codes: ['UNKNOWN_TOKEN', 'TWO_STEP_TOKEN', 'REGISTRY_TOKEN', 'UNEXPECTED_OFFER'],
    toDo: '`TOKENS_FILE` lacks what the reason names: add it, restart, replay.',
  },
  {
    codes: ['HOLDING_UNKNOWN'],
    toDo: 'The template of the token\'s holdings is not known: describe it in `TOKENS_FILE` (`"holding"`), restart, replay.',
  },
  {
    codes: ['SCHEME'],
    toDo: 'Only V3 signs transfers of this token: the synchronizer needs protocol version 35, the participant 3.5; then replay.',
  },
  {
    codes: ['KEY_UNREADABLE', 'MASTER_KEY_MISSING'],
    toDo: "The sender's key cannot be used here: put the right master key into `CANTON_MASTER_KEY`, restart, replay.",
    runbook: { title: 'keys', anchor: 'keys-of-external-parties' },
  },
  {
    codes: ['TAMPERED'],
    toDo: 'The participant prepared something other than what the row asks for, and nothing was signed. Do not replay until you know why: the participant may be compromised.',
    runbook: { title: 'keys', anchor: 'keys-of-external-parties' },
  },
  {
    codes: ['BALANCE_HELD'],
    toDo: 'The sender has the money but cannot spend it (it is locked, in reassignment, on another synchronizer, or in holdings that the participant cannot read), or the participant does not host the sender. The reason says who has to do what; then replay.',
  },
  {
    codes: ['UNPROVEN'],
    toDo: "The sender's balance looked too small, but each time the participant's ledger ended before what it had shown: it is a replica that lags, or was restored. Once it has caught up, or after a restart of the instance, replay.",
  },
  {
    codes: ['FRAGMENTED'],
    toDo: 'The sender\'s money is spread over too many holdings for one transfer: merge them (or set the token\'s own limit as `"maxInputs"` in `TOKENS_FILE`), replay.',
  },
  {
    codes: ['HOLDINGS_UNREAD'],
    toDo: 'The sender has more holdings than the participant can list in ten seconds: merge them, replay.',
  },
  {
    codes: ['UNDECIDED', 'PRUNED', 'REPINNED', 'ANOTHER_PARTICIPANT'],
    toDo: 'What became of the submission can no longer be found out automatically: look for the transfer on the ledger, and end the row with `replay --completed`, or with `replay --force-new` if it was never made.',
    runbook: {
      title: 'by hand',
      anchor: 'a-parked-row-whose-transfer-is-on-the-ledger-replay---completed',
    },
  },
  {
    codes: ['SAME_NONCE'],
    toDo: 'Another transaction of the sender has used its nonce, or may have: ask whether both are intended. `replay --force-new --hash` sends this one too.',
  },
  {
    codes: ['FOREIGN_ACCEPTANCE', 'LOST_DUPLICATE'],
    toDo: 'The ledger accepted something else under this command id, or reports a duplicate that it cannot show. The row is never sent again automatically: compare it with the ledger by hand.',
  },
  {
    codes: ['UNKNOWN_SENDER'],
    toDo: 'The sender has no party in `users`, although the API only accepts registered senders: register it, replay.',
  },
  {
    codes: ['DEAD'],
    toDo: 'None of `MAX_ATTEMPTS` submissions was answered, and none of them can still commit. Likely causes: the participant lacks a method, a proxy refuses large requests, the network loses answers. Fix the cause, replay.',
  },
  {
    codes: ['BREAKER', 'UNKNOWN_INFORMEES', 'PACKAGE_NOT_VETTED_BY_RECIPIENTS'],
    toDo: "The cause is this receiver, or where this sender is hosted (as with other topology errors): fix that party's setup, replay.",
  },
  {
    codes: ['PARKED_BY_HAND'],
    toDo: 'A person parked it with `park`, for the reason shown: once that is settled, replay.',
  },
  {
    codes: [OTHER],
    toDo: 'The ledger refused it with this error `MAX_ATTEMPTS` times: read the error, fix the cause, replay.',
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

/** Each part that can keep an instance from claiming. */
export const blockerAdvice: Readonly<Record<NotReady['part'], string>> = {
  database:
    'Check the database and `DATABASE_URL`. It is tried again at least every 5 s; known outcomes are kept meanwhile.',
  pins: 'The settings of this instance differ from what is pinned: correct them and restart, or change the pin with `migrate`.',
  halted:
    'A bound that money rests on did not hold: docs/runbooks.md, "Halted", then `canton-submitter migrate --tolerance`.',
  participant:
    'Check `CANTON_URL` and the participant. If another participant answers, point it back; rows wait, and nothing is lost.',
  listener:
    'Notifications do not arrive, so the poll finds the rows: slower, not wrong. Behind a pooler, set `DATABASE_LISTEN_URL`.',
  breaker:
    'The participant refuses everybody: buy traffic, renew the token, or check its synchronizer, as the reason says. It closes by itself; restarting does not help.',
  clocks: 'Set the clocks of the database and of the ledger by NTP.',
  mark: 'Let the token read the participant id, or set `CANTON_PARTICIPANT_ID`; until then undecided rows wait.',
  schema: 'Run `canton-submitter migrate`.',
  snapshot: 'End the session that is named: until then vacuum cannot clean up, and claims become slower.',
  webhooks:
    'Fix the receiver at `WEBHOOK_URL`, as the reason says: each outcome is delivered by itself once it answers. Transfers go on meanwhile.',
  paused: 'Somebody paused it, for the reason shown: `canton-submitter resume` goes on.',
  stopping: 'It was asked to stop, and another instance takes over.',
};

/** `BALANCE_HELD: 12 of …` → `BALANCE_HELD`; null where the reason has no code. */
export const codeOf = (reason: string): string | null => /^([A-Z][A-Z0-9_]*)\b:?/.exec(reason)?.[1] ?? null;

/** What to do about a row with this reason (`CODE: detail`). */
export function adviceFor(kind: 'parked' | 'failed', reason: string): Advice {
  const list = kind === 'parked' ? parkedAdvice : failedAdvice;
  const code = codeOf(reason);
  const found =
    list.find(({ codes }) => code !== null && codes.includes(code)) ??
    list.find(({ codes }) => codes.includes(OTHER));
  if (found === undefined) throw new Error(`no advice for other codes of ${kind} rows`);
  return found;
}
