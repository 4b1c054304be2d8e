// The participant as the rest of the program sees it: one channel, one token source, every answer a value.

import type { Ledger } from '../ports/ledger.js';
import type { Outcome } from '../protocol/outcome.js';
import { advised } from './advice.js';
import { noToken, type TokenSource } from './auth.js';
import type { Wire } from './call.js';
import { type ChannelOptions, openChannel } from './channel.js';
import { acceptedByHash, completions } from './completions.js';
import { holdings, transferFactories } from './contracts.js';
import { execute, prepare } from './external.js';
import { ledgerUser, participantId, userUnknown, version } from './identity.js';
import { createInspector, type Inspector } from './inspector.js';
import { registryFactory } from './registry.js';
import { type Scheme, schemeMemory } from './scheme.js';
import { defaultPackages, type LedgerSettings } from './settings.js';
import { connectedSynchronizers, ledgerEnd, prunedUpTo } from './state.js';
import { submitCommand } from './transfer-command.js';
import { transferOf, updateOffset } from './updates.js';

export interface LedgerOptions extends ChannelOptions, Omit<LedgerSettings, 'packages' | 'userId'> {
  /** Null: the user the token speaks for, once it has been read. */
  readonly userId: string | null;
  readonly tokens?: TokenSource;
  readonly packages?: Partial<LedgerSettings['packages']>;
  /** Called whenever preparations start to come in another hashing scheme. */
  readonly onScheme?: (scheme: Scheme) => void;
  readonly traceOf?: Wire['traceOf'];
}

export interface OpenLedger extends Ledger {
  /**
   * Cancels every stream and drops the connection; calls under way still get their answer or run into their deadline.
   */
  close(): void;
  /** What no row needs: asked before the first one, and by people. */
  readonly inspect: Inspector;
}

/**
 * Connects in the background, and reconnects whenever the connection is lost. Throws ConfigError for settings that
 * cannot work.
 */
export function createLedger(options: LedgerOptions): OpenLedger {
  const { synchronizerId, issuerParty, tokens = noToken } = options;
  const channel = openChannel(options);
  const wire: Wire = { channel, tokens, traceOf: options.traceOf, open: new Set() };
  const user = ledgerUser(options.userId, tokens);
  const settings: LedgerSettings = {
    get userId() {
      const known = user.known();
      if (known === null) throw new Error(UNKNOWN);
      return known;
    },
    synchronizerId,
    issuerParty,
    packages: { ...defaultPackages, ...options.packages },
  };
  const schemes = schemeMemory(options.onScheme ?? (() => {}));
  channel.onReady(() => schemes.forget());
  const knownRegistries = new Map<string, string>();
  const unsent: Outcome = { kind: 'not-sent', detail: `USER_UNKNOWN: ${UNKNOWN}` };
  return {
    ready: () => channel.ready(),
    onReady: (listener) => channel.onReady(listener),
    ledgerEnd: (call) => ledgerEnd(wire, call),
    prunedUpTo: (call) => prunedUpTo(wire, call),
    holdings: (parties, at, call) => holdings(wire, settings, parties, at, call),
    synchronizersOf: async (party, call) => {
      const read = await connectedSynchronizers(wire, party, call);
      return read.kind === 'read' ? { kind: 'read', value: read.value.map(({ id }) => id) } : read;
    },
    transferFactories: (admin, at, call) => transferFactories(wire, settings, admin, at, call),
    registryFactory: (url, terms, call) => registryFactory(settings, url, terms, call, knownRegistries),
    submit: async (submission, call) =>
      user.known() === null ? unsent : submitCommand(wire, settings, submission, call),
    prepare: async (transfer, maxRecordTime, call) =>
      user.known() === null
        ? userUnknown(UNKNOWN)
        : prepare(wire, settings, schemes, transfer, maxRecordTime, call),
    execute: async (submission, call) =>
      user.known() === null ? unsent : execute(wire, settings, submission, call),
    acceptedByHash: (hash, call) => acceptedByHash(wire, hash, call),
    async *completions(request, signal) {
      return user.known() === null
        ? userUnknown(UNKNOWN)
        : yield* completions(wire, settings, request, signal);
    },
    transferOf: (updateId, parties, call) => transferOf(wire, updateId, parties, call),
    updateOffset: (updateId, party, call) => updateOffset(wire, updateId, party, call),
    userId: (call) => user.ask(call),
    participantId: (call) => participantId(wire, call),
    version: async (call) => advised(await version(wire, call), tokens),
    inspect: createInspector(wire, settings, knownRegistries),
    close() {
      for (const stream of wire.open) stream.cancel();
      channel.close();
    },
  };
}

const UNKNOWN = 'the ledger user is not known yet, because no token could be read';
