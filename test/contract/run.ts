// `CONTRACT_URL=… npm run test:contract`: the clauses against any participant. It reads; a transfer (of 10^-10 of a
// token) is made only where CONTRACT_SENDER, CONTRACT_RECEIVER and CONTRACT_INSTRUMENT are given.
import { party } from '../../src/core/ids.js';
import { noToken, tokenFile } from '../../src/ledger/auth.js';
import type { LedgerOptions, OpenLedger } from '../../src/ledger/ledger.js';
import { clauses, type Subject } from './clauses.js';
import { connectedLedger } from './connect.js';

const { env } = process;
const need = (name: string): string => {
  const value = env[name];
  if (value) return value;
  console.error(`${name} is not set; the contract wants CONTRACT_URL (host:port, or https://…), CANTON_ISSUER_PARTY and
CANTON_SYNCHRONIZER_ID, CANTON_USER_ID or a token with a subject in CANTON_TOKEN_FILE, CANTON_TLS_CA_FILE where it is
not a public one; and for a transfer CONTRACT_SENDER, CONTRACT_RECEIVER (both hosted), CONTRACT_INSTRUMENT`);
  process.exit(2);
};

const options: LedgerOptions = {
  url: need('CONTRACT_URL'),
  synchronizerId: need('CANTON_SYNCHRONIZER_ID'),
  issuerParty: need('CANTON_ISSUER_PARTY'),
  userId: env.CANTON_USER_ID || null,
  tokens: env.CANTON_TOKEN_FILE ? tokenFile(env.CANTON_TOKEN_FILE) : noToken,
  tls: { caFile: env.CANTON_TLS_CA_FILE || undefined },
  packages: {
    ...(env.CIP56_PACKAGE ? { cip56: env.CIP56_PACKAGE } : {}),
    ...(env.HOLDING_PACKAGE ? { holding: env.HOLDING_PACKAGE } : {}),
    ...(env.TRANSFER_PACKAGE ? { transfer: env.TRANSFER_PACKAGE } : {}),
  },
};
const { CONTRACT_SENDER: sender, CONTRACT_RECEIVER: receiver, CONTRACT_INSTRUMENT: instrumentId } = env;
const others: OpenLedger[] = [];
const ledger = await connectedLedger(options);
const subject: Subject = {
  ledger,
  synchronizerId: options.synchronizerId,
  issuer: party(options.issuerParty),
  transfer:
    sender && receiver && instrumentId
      ? { sender: party(sender), receiver: party(receiver), instrumentId }
      : null,
  async open(change) {
    const other = await connectedLedger({ ...options, ...change });
    others.push(other);
    return other;
  },
};
let broken = 0;
for (const { name, sends, check } of clauses) {
  if (sends && subject.transfer === null) {
    console.log(`skipped  ${name}`);
    continue;
  }
  try {
    await check(subject);
    console.log(`ok       ${name}`);
  } catch (error) {
    broken += 1;
    console.log(`BROKEN   ${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const one of [ledger, ...others]) one.close();
process.exit(broken === 0 ? 0 : 1);
