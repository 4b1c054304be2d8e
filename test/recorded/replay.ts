// What was recorded on real ledgers, through our own readers: what each thing was read as, and what should have been
// read and was not.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import { formatDecimal } from '../../src/core/decimal.js';
import { isEntity } from '../../src/core/entity.js';
import { eventOfCompletion } from '../../src/ledger/completions.js';
import { holdingOf } from '../../src/ledger/contracts.js';
import { effectOf } from '../../src/ledger/updates.js';
import { instrumentOf, recordFields } from '../../src/ledger/values.js';
import type { TransferEffect } from '../../src/ports/ledger.js';
import { completionOf, createdOf, transactionOf } from './json-messages.js';
import { isObject, type Json, type JsonObject } from './json-values.js';

export interface Finding {
  readonly what: 'holding' | 'instruction' | 'transfer' | 'completion' | 'prepared';
  /** Within the file. */
  readonly at: string;
  readonly id: string;
  readonly readAs: string;
  /** Why it should have been read as something else. */
  readonly wrong: string | null;
}

/** Hashes a prepared transaction's bytes: what a participant says its hash is has to be ours. */
export type Hasher = (transaction: Uint8Array, scheme: 2 | 3) => Uint8Array;

/** Null: this build has no hash of its own. */
export function replay(json: Json, preparedHash: Hasher | null): Finding[] {
  const findings: Finding[] = [];
  visit(json, '', (node, at) => {
    if (isCreated(node)) findings.push(...created(node, at));
    else if (isTransaction(node)) findings.push(...transaction(node, at));
    else if (isCompletion(node)) findings.push(completion(node, at));
    else if (typeof node.prepared === 'string') findings.push(prepared(node, at, preparedHash));
  });
  return findings;
}

function visit(json: Json | undefined, at: string, see: (node: JsonObject, at: string) => void): void {
  if (Array.isArray(json)) {
    const list: readonly Json[] = json;
    for (const [index, one] of list.entries()) visit(one, `${at}/${index}`, see);
  } else if (isObject(json)) {
    see(json, at);
    for (const [key, one] of Object.entries(json)) visit(one, `${at}/${key}`, see);
  }
}

const isCreated = (node: JsonObject): boolean =>
  'templateId' in node && 'contractId' in node && 'signatories' in node;
const isTransaction = (node: JsonObject): boolean => 'updateId' in node && Array.isArray(node.events);
const isCompletion = (node: JsonObject): boolean => 'commandId' in node && isObject(node.status);

function created(json: JsonObject, at: string): Finding[] {
  const event = createdOf(json);
  const views = event.interfaceViews.map(({ interfaceId }) => interfaceId);
  if (views.some((id) => isEntity(id, 'Splice.Api.Token.HoldingV1', 'Holding')))
    return [holding(event, json, at)];
  return views.some((id) => isEntity(id, 'Splice.Api.Token.TransferInstructionV1', 'TransferInstruction'))
    ? [instruction(event, at)]
    : [];
}

/** The JSON itself says what it should be read as: the view that the participant computed. */
function holding(event: CreatedEvent, json: JsonObject, at: string): Finding {
  const read = holdingOf(event, { kind: 'here' });
  const finding = (readAs: string, wrong: string | null): Finding => ({
    what: 'holding',
    at,
    id: `${event.templateId?.entityName} ${event.contractId}`,
    readAs,
    wrong,
  });
  if (read === null) return finding('not believed: its admin has not signed', wrongUnlessForeign(event));
  if (read.kind === 'unreadable')
    return finding(`unreadable: ${read.unreadable.why}`, 'a view that is there');
  const { amount, instrumentId, lock, owner } = read.holding;
  const end = lock?.expiresAt == null ? 'no end' : `until ${lock.expiresAt} µs`;
  const how = lock === null ? 'free' : `locked by ${lock.holders.join(', ')}, ${end}`;
  return finding(
    `${formatDecimal(amount)} ${instrumentId} of ${owner}, ${how}`,
    holdingFault(json, {
      amount: formatDecimal(amount),
      locked: lock !== null,
      ends: lock?.expiresAt != null,
    }),
  );
}

const wrongUnlessForeign = (event: CreatedEvent): string | null => {
  const view = recordFields(event.interfaceViews[0]?.viewValue);
  const admin = instrumentOf(view?.fields('instrumentId') ?? null)?.admin;
  return admin !== undefined && event.signatories.includes(admin) ? 'its admin has signed it' : null;
};

/** Held against the raw view, by eyes of its own. */
function holdingFault(
  json: JsonObject,
  read: { readonly amount: string; readonly locked: boolean; readonly ends: boolean },
): string | null {
  const text = JSON.stringify(json.interfaceViews);
  const [, amount = ''] = /"amount":"(\d+(?:\.\d+)?)"/.exec(text) ?? [];
  if (Number(amount) !== Number(read.amount)) return `its amount is ${amount}`;
  const locked = /"lock":\{/.test(text);
  if (locked !== read.locked) return locked ? 'it is locked' : 'it is free';
  const ends = /"expiresAt":"/.test(text);
  return ends === read.ends ? null : 'its lock has an end';
}

function instruction(event: CreatedEvent, at: string): Finding {
  const transfer = recordFields(event.interfaceViews[0]?.viewValue)?.fields('transfer') ?? null;
  const amount = transfer?.amount('amount') ?? null;
  const [sender, receiver] = [transfer?.party('sender'), transfer?.party('receiver')];
  const readable = amount !== null && sender != null && receiver != null;
  return {
    what: 'instruction',
    at,
    id: `${event.templateId?.entityName} ${event.contractId}`,
    readAs: readable ? `an offer of ${formatDecimal(amount)} from ${sender} to ${receiver}` : 'nothing',
    wrong: readable ? null : 'an offer',
  };
}

function transaction(json: JsonObject, at: string): Finding[] {
  const read = effectOf(transactionOf(json));
  const transfers = (JSON.stringify(json).match(/"choice":"TransferFactory_Transfer"/g) ?? []).length;
  if (read === null && transfers === 0) return [];
  const readAs = read === null ? 'no transfer' : said(read);
  const wrong = read === null && transfers === 1 ? 'one transfer' : null;
  return [{ what: 'transfer', at, id: String(json.updateId), readAs, wrong }];
}

const said = ({ amount, instrumentId, sender, receiver }: TransferEffect): string =>
  `${formatDecimal(amount)} ${instrumentId} from ${sender} to ${receiver}`;

function completion(json: JsonObject, at: string): Finding {
  const read = eventOfCompletion(completionOf(json));
  const about = { what: 'completion', at, id: String(json.commandId) } as const;
  if (read === 'unreadable') return { ...about, readAs: read, wrong: 'a completion' };
  if (read.kind === 'accepted')
    return { ...about, readAs: `accepted at ${read.offset}: ${read.updateId}`, wrong: null };
  const { outcome } = read;
  const refusal = outcome.kind === 'refused' ? `${outcome.refusal.kind} ${outcome.refusal.errorId}` : '';
  return { ...about, readAs: `${outcome.kind} ${refusal}`.trim(), wrong: null };
}

function prepared(json: JsonObject, at: string, preparedHash: Hasher | null): Finding {
  const about = { what: 'prepared', at, id: at } as const;
  if (preparedHash === null)
    return { ...about, readAs: 'not hashed: this build has no hash of its own', wrong: null };
  const scheme = /v3$/i.test(at) ? 3 : 2;
  try {
    const bytes = Buffer.from(String(json.prepared), 'base64');
    const ours = Buffer.from(preparedHash(bytes, scheme)).toString('base64');
    const theirs = typeof json.hash === 'string' ? json.hash : null;
    const wrong = theirs === null || theirs === ours ? null : `of hash ${theirs}`;
    return { ...about, readAs: `V${scheme} hash ${ours}`, wrong };
  } catch (error) {
    return { ...about, readAs: `not hashed: ${String(error)}`, wrong: 'a prepared transaction' };
  }
}
