// The state file: every fact of the ledger as a line of JSON, appended before anybody hears of it. A killed process
// loses nothing that it has answered; a half-written last line is cut off.
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Identity, otherAdmins } from './host.js';
import { type Fact, LedgerState } from './model/ledger-state.js';

export class BadStateFile extends Error {}

interface Header extends Omit<Identity, keyof ReturnType<typeof otherAdmins>> {
  readonly kind: 'sandbox';
  readonly version: 1;
}

export interface OpenJournal {
  readonly identity: Identity;
  readonly state: LedgerState;
  write(fact: Fact): void;
  close(): void;
}

/** A journal that keeps nothing. */
export function noJournal(identity: Identity): OpenJournal {
  return { identity, state: new LedgerState(), write: () => {}, close: () => {} };
}

/** `participantId`, if given, must be the one whose ledger the file contains. */
export function openJournal(file: string, fresh: Identity, participantId: string | undefined): OpenJournal {
  const lines = existsSync(file) ? completeLines(file) : [];
  const [first, ...rest] = lines;
  const header: Header = first === undefined ? newHeader(fresh) : readHeader(first, file);
  if (participantId !== undefined && participantId !== header.participantId) {
    throw new BadStateFile(
      `${file} contains the ledger of ${header.participantId}, not of ${participantId}: choose another file`,
    );
  }
  const state = replay(rest, file);
  const handle = openSync(file, 'a');
  // Whatever a killed process left half-written must not run into the next line.
  if (lines.length > 0) ftruncateSync(handle, Buffer.byteLength(`${lines.join('\n')}\n`));
  const write = (value: unknown) => writeSync(handle, `${JSON.stringify(value, bigintsAsText)}\n`);
  if (first === undefined) write(header);
  const { participantId: id, synchronizerId, issuer } = header;
  return {
    identity: { participantId: id, synchronizerId, issuer, ...otherAdmins(id) },
    state,
    write,
    close: () => closeSync(handle),
  };
}

function newHeader({ participantId, synchronizerId, issuer }: Identity): Header {
  return { kind: 'sandbox', version: 1, participantId, synchronizerId, issuer };
}

function completeLines(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

function readHeader(line: string, file: string): Header {
  const header = parse(line, file) as Partial<Header>;
  if (header.kind !== 'sandbox' || header.version !== 1)
    throw new BadStateFile(`${file} is not a state file of the sandbox`);
  return header as Header;
}

function replay(lines: readonly string[], file: string): LedgerState {
  let state = new LedgerState();
  for (const line of lines) {
    const fact = parse(line, file) as Fact;
    switch (fact.kind) {
      case 'party':
        state.addParty(fact.party, fact.key);
        break;
      case 'entry':
        state.append(fact.entry);
        if (fact.flightId !== undefined) state.interrupted.delete(fact.flightId);
        break;
      case 'registered':
        state.interrupted.set(fact.registered.flightId, fact.registered);
        break;
      case 'pruned':
        state.prune(fact.offset, fact.dedup);
        break;
      case 'restored':
        state = state.asOf(fact.offset);
        break;
    }
  }
  return state;
}

function parse(line: string, file: string): unknown {
  try {
    return JSON.parse(line, textAsBigints);
  } catch (cause) {
    throw new BadStateFile(`${file} is damaged: ${line.slice(0, 60)}`, { cause });
  }
}

const bigintsAsText = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);

/** Amounts are the ledger's only bigints. */
const textAsBigints = (key: string, value: unknown) =>
  key === 'amount' && typeof value === 'string' ? BigInt(value) : value;
