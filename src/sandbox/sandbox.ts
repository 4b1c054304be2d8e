// The sandbox as a whole: puts its parts together, and stops them again.
import { randomUUID } from 'node:crypto';
import type { Sandbox } from './api.js';
import { Controls } from './control.js';
import type { Control, PartySpec } from './fault-schema.js';
import { Files } from './files.js';
import { ledgerApi } from './grpc/server.js';
import { Host, newIdentity } from './host.js';
import { httpServer } from './http/server.js';
import { noJournal, openJournal } from './journal.js';
import { createFactory, createRegistry } from './model/others.js';
import { type SandboxOptions, settle } from './settings.js';
import { adminOf, defaultTokens, registryTokens, type TokenSpec, tokensFile } from './tokens.js';
import { Transport } from './transport.js';

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const fresh = newIdentity(options);
  const journal =
    options.stateFile === undefined
      ? noJournal(fresh)
      : openJournal(options.stateFile, fresh, options.participantId);
  const { identity, state } = journal;
  const settings = settle(options, `${options.seed ?? randomUUID()}`, identity.synchronizerId);
  const tokens = [...(options.tokens ?? defaultTokens), ...(options.registry ? registryTokens : [])];
  const host = new Host(settings, identity, options, state, journal.write);
  if (state.end === 0) {
    host.participant.addParty(identity.issuer);
    const own = tokens.filter(({ registry, minted }) => registry === undefined && minted !== false);
    createFactory(
      host.participant,
      identity.issuer,
      own.map(({ symbol }) => symbol),
    );
  }
  openRegistry(host, tokens);
  const server = ledgerApi(host);
  const bind = options.host ?? '127.0.0.1';
  const transport = new Transport(server, bind, options.port ?? 0);
  host.disconnect = (peer) => transport.disconnect(peer);
  const controls = new Controls(host, transport, tokens);
  const files = new Files(options.stateFile);
  const sandbox = {
    env: {},
    url: '',
    httpUrl: '',
    issuer: identity.issuer,
    registrar: identity.registrar,
    synchronizerId: identity.synchronizerId,
    get participantId() {
      return host.participant.settings.participantId;
    },
    tokens,
    audit: host.audit,
    faults: host.faults,
    control: (control: Control) => controls.apply(control),
    createParties: (specs: readonly PartySpec[]) => controls.createParties(specs).map(({ party }) => party),
    createExternalParties: (specs: readonly PartySpec[]) =>
      controls
        .createParties(specs.map((spec) => ({ ...spec, external: true })))
        .flatMap(({ external }) => external ?? []),
    parties: () => host.participant.state.parties(),
    balances: (party: string) => controls.balances(party),
    ledgerEnd: () => host.participant.state.end,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
  let closed: Promise<void> | undefined;
  const close = async () => {
    controls.close();
    host.close();
    await Promise.all([transport.down(), http.close()]);
    server.forceShutdown();
    journal.close();
    files.remove();
  };
  const http = httpServer(sandbox, host, (specs) => controls.createParties(specs));
  try {
    await transport.up();
    sandbox.url = `${bind}:${transport.port}`;
    sandbox.httpUrl = await http.listen({ host: bind, port: options.httpPort ?? 0 });
    sandbox.env = environment(host, sandbox, files, options.token);
  } catch (error) {
    await sandbox.close();
    throw error;
  }
  return sandbox;
}

/** If tokens of other admins are wanted, and an existing ledger may have started without them. */
function openRegistry({ participant, identity }: Host, tokens: readonly TokenSpec[]): void {
  const factories = [
    [identity.registrar, 'utilityFactory'],
    [identity.dso, 'amuletFactory'],
    [identity.custodian, 'depositFactory'],
  ] as const;
  for (const [admin, factory] of factories) {
    const instruments = tokens.flatMap((token) =>
      adminOf(token, identity) === admin ? [{ id: token.symbol, transfers: token.registry ?? 'direct' }] : [],
    );
    if (instruments.length === 0 || participant.state.hasParty(admin)) continue;
    createRegistry(participant, admin, factory, instruments);
  }
}

function environment(
  { settings, identity }: Host,
  { url, httpUrl, tokens }: Pick<Sandbox, 'url' | 'httpUrl' | 'tokens'>,
  files: Files,
  token: string | undefined,
): Record<string, string> {
  const admins = { ...identity, registryUrl: httpUrl };
  return {
    CANTON_URL: url,
    CANTON_USER_ID: settings.userId,
    CANTON_SYNCHRONIZER_ID: identity.synchronizerId,
    CANTON_ISSUER_PARTY: identity.issuer,
    TOKENS_FILE: files.write('tokens.json', tokensFile(tokens, admins)),
    ...(token === undefined ? {} : { CANTON_TOKEN_FILE: files.write('token', token) }),
    CHAIN_ID: `${settings.chainId}`,
    LEDGER_TIME_TOLERANCE_MS: `${settings.toleranceMs}`,
    SUBMISSION_WINDOW_MS: `${settings.submissionWindowMs}`,
    CLOCK_SKEW_MAX_MS: `${settings.clockSkewMaxMs}`,
  };
}
