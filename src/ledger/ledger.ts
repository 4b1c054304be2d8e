// The participant as the core sees it: one channel, one token source, every answer a value.
import type { Ledger } from '../core/ports.js';
import { noToken, type TokenSource } from './auth.js';
import type { Wire } from './call.js';
import { type ChannelOptions, openChannel } from './channel.js';
import { submit } from './commands.js';
import { acceptedByHash, completions } from './completions.js';
import { participantId, version } from './identity.js';
import { execute, prepare } from './interactive.js';
import { registryFactory } from './registry.js';
import { defaultPackages, type LedgerSettings } from './settings.js';
import { holdings, ledgerEnd, prunedUpTo, transferFactories } from './state.js';
import { transferOf, updateOffset } from './updates.js';

export interface LedgerOptions extends ChannelOptions, Omit<LedgerSettings, 'packages'> {
  readonly tokens?: TokenSource;
  readonly packages?: Partial<LedgerSettings['packages']>;
}

export interface OpenLedger extends Ledger {
  /** Ends every stream and lets go of the connection; calls under way still get their answer or their deadline. */
  close(): void;
}

/** Connects in the background, and again whenever the connection is lost. Throws ConfigError for what cannot work. */
export function createLedger(options: LedgerOptions): OpenLedger {
  const { userId, synchronizerId, issuerParty } = options;
  const packages = { ...defaultPackages, ...options.packages };
  const settings: LedgerSettings = { userId, synchronizerId, issuerParty, packages };
  const channel = openChannel(options);
  const wire: Wire = { channel, tokens: options.tokens ?? noToken, open: new Set() };
  return {
    ready: () => channel.ready(),
    onReady: (listener) => channel.onReady(listener),
    ledgerEnd: (call) => ledgerEnd(wire, call),
    prunedUpTo: (call) => prunedUpTo(wire, call),
    holdings: (party, at, call) => holdings(wire, settings, party, at, call),
    transferFactories: (admin, at, call) => transferFactories(wire, settings, admin, at, call),
    registryFactory: (url, terms, call) => registryFactory(settings, url, terms, call),
    submit: (transfer, call) => submit(wire, settings, transfer, call),
    prepare: (transfer, maxRecordTime, call) => prepare(wire, settings, transfer, maxRecordTime, call),
    execute: (submission, call) => execute(wire, settings, submission, call),
    acceptedByHash: (hash, call) => acceptedByHash(wire, hash, call),
    completions: (request, signal) => completions(wire, settings, request, signal),
    transferOf: (updateId, parties, call) => transferOf(wire, updateId, parties, call),
    updateOffset: (updateId, party, call) => updateOffset(wire, updateId, party, call),
    participantId: (call) => participantId(wire, call),
    version: (call) => version(wire, call),
    close() {
      for (const stream of wire.open) stream.cancel();
      channel.close();
    },
  };
}
