// The facts that the quick checks use, gathered in as few calls as possible. `run` asks before its first pin,
// `doctor` every time.
import type { Offset, Party } from '../core/ids.js';
import type { Tokens } from '../core/token.js';
import type { HoldingSamples } from '../ledger/inspect-holdings.js';
import type { UserRights } from '../ledger/inspect-participant.js';
import type { Inspector } from '../ledger/inspector.js';
import type { RegistryInstrument } from '../ledger/registry-metadata.js';
import type { ConnectedSynchronizer } from '../ledger/state.js';
import { type ApiVersion, type CallOptions, isClosed, type Ledger, type Read } from '../ports/ledger.js';

export interface PreflightSettings {
  readonly synchronizerId: string;
  readonly issuerParty: Party;
  /** What the operator has set. */
  readonly participantId: string | null;
  readonly tokens: Tokens;
}

export interface Asked {
  readonly ledger: Pick<
    Ledger,
    'ready' | 'version' | 'userId' | 'participantId' | 'ledgerEnd' | 'transferFactories'
  > & { readonly inspect: Inspector };
  readonly settings: PreflightSettings;
  /** Some of the parties in `users`: their holdings show instruments of other admins. */
  readonly parties: readonly string[];
}

export interface Facts {
  readonly version: Read<ApiVersion>;
  readonly user: Read<string>;
  readonly participantId: Read<string>;
  readonly end: Read<Offset>;
  readonly synchronizers: Read<readonly ConnectedSynchronizer[]>;
  /** The ones where the participant hosts the issuer. */
  readonly issuerOn: Read<readonly ConnectedSynchronizer[]>;
  readonly rights: Read<UserRights>;
  readonly factories: Read<readonly string[]>;
  /** As the issuer sees them, who signs every holding of its instruments. */
  readonly issued: Read<HoldingSamples>;
  /** As some of our users see them, of any admin. */
  readonly held: Read<HoldingSamples>;
  /** By the token's address. */
  readonly registries: ReadonlyMap<string, Read<RegistryInstrument>>;
}

/** How many contracts to read to see an instrument: a second or two, in a start that happens once. */
const HOLDINGS_READ = 2_000;

/** Why the version could not be read: nobody answered, and nothing else was asked. */
export async function askFacts(
  { ledger, settings, parties }: Asked,
  options: CallOptions,
): Promise<Facts | Extract<Facts['version'], { kind: 'failed-read' }>> {
  const version = await ledger.version(options);
  if (version.kind === 'failed-read' && !isClosed(version)) return version;
  const { inspect } = ledger;
  const { issuerParty } = settings;
  const user = await ledger.userId(options);
  const [participantId, end, synchronizers, issuerOn, rights] = await Promise.all([
    ledger.participantId(options),
    ledger.ledgerEnd(options),
    inspect.synchronizers(null, options),
    inspect.synchronizers(issuerParty, options),
    user.kind === 'read' ? inspect.rights(user.value, options) : user,
  ]);
  const seen = async (of: readonly string[], at: Offset): Promise<Read<HoldingSamples>> =>
    of.length === 0
      ? { kind: 'read', value: { samples: [], whole: true } }
      : await inspect.holdings({ parties: of, at, limit: HOLDINGS_READ }, options);
  const [factories, issued, held, registries] = await Promise.all([
    end.kind === 'read' ? ledger.transferFactories(issuerParty, end.value, options) : end,
    end.kind === 'read' ? seen([issuerParty], end.value) : end,
    end.kind === 'read' ? seen(parties, end.value) : end,
    askRegistries(inspect, settings.tokens, options),
  ]);
  return {
    version,
    user,
    participantId,
    end,
    synchronizers,
    issuerOn,
    rights,
    factories,
    issued,
    held,
    registries,
  };
}

async function askRegistries(
  inspect: Inspector,
  tokens: Tokens,
  options: CallOptions,
): Promise<Facts['registries']> {
  const asked = [...tokens].flatMap(([address, { registryUrl, instrumentAdmin: admin, instrumentId }]) =>
    registryUrl === undefined ? [] : [{ address, url: registryUrl, admin, instrumentId }],
  );
  const answers = await Promise.all(
    asked.map(
      async ({ address, url, admin, instrumentId }) =>
        [address, await inspect.instrument({ url, admin }, instrumentId, options)] as const,
    ),
  );
  return new Map(answers);
}
