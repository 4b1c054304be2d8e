// The readers, on made-up data of the shape in which real ledgers' was recorded.
import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Json } from './json-values.js';
import { type Finding, replay } from './replay.js';

const text = readFileSync(new URL('../fixtures/recorded/made-up.json', import.meta.url), 'utf8');
const read = (
  change: (text: string) => string = (same) => same,
  hasher: Parameters<typeof replay>[1] = null,
) => replay(JSON.parse(change(text)) as Json, hasher);
const ids = (findings: readonly Finding[]) =>
  findings.map(({ what, id, readAs }) => `${what} ${id}: ${readAs}`);

test('holdings of any template, locked or not, offers, transfers and completions are read as what they are', (t) => {
  const findings = read();
  t.deepEqual(
    findings.filter(({ wrong }) => wrong !== null),
    [],
  );
  t.deepEqual(ids(findings), [
    'transfer 1220u1: 2.5 GEM from ann::1220aa to ben::1220bb',
    'holding Holding 00a1: 7.5 GEM of ann::1220aa, free',
    'holding Holding 00a2: 2.5 GEM of ann::1220aa, locked by registry::1220cc, no end',
    'instruction TransferOffer 00a3: an offer of 2.5 from ann::1220aa to ben::1220bb',
    'holding Amulet 00b1: 49.32 Amulet of ann::1220aa, free',
    'holding LockedAmulet 00b2: 10 Amulet of ann::1220aa, locked by dso::1220dd, until 1769904000000001 µs',
    'holding Dummy 00b3: 30 Dummy of ann::1220aa, free',
    'holding Holding 00b4: not believed: its admin has not signed',
    'completion c1: accepted at 7: 1220u1',
    'completion c2: unknown',
  ]);
});

test('a recorded contract or transfer that is not read as what it is is named', (t) => {
  const wrong = (change: (text: string) => string) =>
    read(change).flatMap(({ id, wrong: fault }) => (fault === null ? [] : [`${id}: ${fault}`]));
  t.deepEqual(
    wrong((all) => all.replace(/("contractId": "00b1"[\s\S]*?"code": )0/, '$19')),
    ['Amulet 00b1: a view that is there'],
  );
  const choice = '"choice": "TransferFactory_Transfer"';
  t.deepEqual(
    wrong((all) => all.replace(choice, `${choice}, "interfaceId": null`)),
    ['1220u1: one transfer'],
  );
});

test('a prepared transaction is held against the hash that its participant gave', (t) => {
  const recorded = { v2: { prepared: 'AA==', hash: 'AQI=' }, v3: { prepared: 'AA==', hash: 'AQM=' } };
  const hash = (_: Uint8Array, scheme: 2 | 3) => new Uint8Array([1, scheme]);
  t.deepEqual(
    replay(recorded, hash).map(({ wrong }) => wrong),
    [null, null],
  );
  t.regex(replay({ v2: recorded.v3 }, hash)[0]?.wrong ?? '', /AQM=/);
  const refusing = () => {
    throw new Error('odd');
  };
  t.is(replay(recorded, refusing)[0]?.wrong, 'a prepared transaction');
});
