// `replay --completed`: somebody has found the update that made a parked row's transfer. It is compared with the row
// first.
import { type Config, loadConfig } from '../../config.js';
import type { TxHash } from '../../core/ids.js';
import type { Ledger } from '../../ports/ledger.js';
import { complete, type FoundRow, findRowToComplete } from '../../store/operator/complete.js';
import type { Decided } from '../../store/pins.js';
import type { Database } from '../../store/pool.js';
import { openLedger } from '../../submitter.js';
import { differs } from '../../transfer/compare.js';
import { exit } from '../exit.js';
import { withDatabase } from '../support/database.js';
import { decidedBy } from '../support/who.js';
import type { Flags } from './flags.js';

/** Somebody waits at a terminal for this one answer: a slow one is better than having to ask again. */
const READ_UPDATE_MS = 20_000;

export async function replayCompleted(flags: Flags): Promise<void> {
  const { completed: hash, update, reason, dryRun = false } = flags;
  if (hash === undefined || update === undefined) throw new Error('--completed needs a hash and an update');
  const config = loadConfig(process.env);
  const result = await withDatabase(config, (database) =>
    settleByUpdate(config, database, { hash, update, dryRun, decided: decidedBy(reason) }),
  );
  if (result.kind === 'refused') {
    process.stderr.write(`refused, and nothing was changed: ${result.why}\n`);
    process.exitCode = exit.failure;
    return;
  }
  process.stdout.write(`${hash} ${dryRun ? 'would be' : 'is'} completed by update ${update}\n`);
}

interface Order {
  readonly hash: TxHash;
  readonly update: string;
  readonly dryRun: boolean;
  readonly decided?: Decided;
}

export async function settleByUpdate(
  config: Config,
  database: Database,
  { hash, update, dryRun, decided }: Order,
): Promise<{ readonly kind: 'settled' } | { readonly kind: 'refused'; readonly why: string }> {
  const refused = (why: string) => ({ kind: 'refused', why }) as const;
  const found = await findRowToComplete(database, hash);
  if (found === null) return refused(`there is no row ${hash}`);
  if (found.state !== 'settleable') {
    return refused(`row ${hash} is ${found.state}; only a parked row can be completed by hand`);
  }
  const ledger = openLedger(config);
  const shown = await showTransfer(ledger, config, found, update).finally(() => ledger.close());
  if ('difference' in shown) return refused(shown.difference);
  if (dryRun) return { kind: 'settled' };
  const done = await complete(database, hash, { id: update, offset: shown.offset }, decided);
  if (done === 'completed') return { kind: 'settled' };
  return refused(
    done === 'changed'
      ? `row ${hash} was changed by somebody else in the meantime; try again`
      : `update ${update} has already completed row ${done.takenBy}`,
  );
}

type Shown = { readonly offset: bigint | null } | { readonly difference: string };

/** The update as the sender's party sees it: either the very transfer that the row asks for, or what is different. */
async function showTransfer(ledger: Ledger, config: Config, found: FoundRow, update: string): Promise<Shown> {
  const { sender } = found;
  if (sender === null)
    return { difference: "the sender's party is unknown: it is neither in the row's record nor in users" };
  const options = { timeoutMs: READ_UPDATE_MS };
  const effect = await ledger.transferOf(update, [sender], options);
  if (effect.kind === 'failed-read') {
    return {
      difference: `update ${update} cannot be read: ${effect.refusal.errorId}: ${effect.refusal.detail}`,
    };
  }
  if (effect.value === 'absent')
    return { difference: `the participant has no update ${update} that ${sender} can see` };
  if (effect.value === null) return { difference: `update ${update} is not a transfer` };
  if (effect.value.result === 'failed')
    return { difference: `update ${update} was accepted, but the token's rules moved nothing` };
  const compared = { row: found.row, sender, receiver: found.recipient };
  const difference = differs(compared, effect.value, config.tokens, config.issuerParty);
  if (difference !== null)
    return { difference: `update ${update} is not this row's transfer: ${difference}` };
  const offset = await ledger.updateOffset(update, sender, options);
  return { offset: offset.kind === 'read' ? offset.value : null };
}
