// Carries out changes to the participant as a whole, and requests about its ledger.
import type { ExternalParty } from './api.js';
import { lockEnds } from './daml/contracts.js';
import { type Control, controlSchema, type LockSpec, type PartySpec } from './fault-schema.js';
import { type Host, namespaceOf } from './host.js';
import { deriveKeyPair, type PublicKey, readPublicKey } from './keys.js';
import { formatDecimal, parseDecimal } from './model/decimal.js';
import { accept, holdingsOf, type Mint, mint, reassign, release, spend } from './model/others.js';
import { adminOf, type TokenSpec } from './tokens.js';
import type { Transport } from './transport.js';

interface Keys {
  readonly publicKey: PublicKey;
  /** Null if the caller supplied it. */
  readonly privateKey: string | null;
}

export interface Allocated {
  readonly party: string;
  readonly external?: ExternalParty;
}

function published({ publicKey, privateKey }: Keys): Omit<ExternalParty, 'party'> {
  return { fingerprint: publicKey.fingerprint, publicKey: publicKey.spki, privateKey };
}

/** How long an amulet is locked by default; it has no locks without an end. */
const YEAR_MS = 365 * 86_400_000;

/** The request does not make sense here. */
export class BadRequest extends Error {}

export class Controls {
  #restarting: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: Host,
    private readonly transport: Transport,
    private readonly tokens: readonly TokenSpec[],
  ) {}

  /** Throws a ZodError if it is not a control. Resolves once it has happened. */
  async apply(input: Control): Promise<Readonly<Record<string, unknown>>> {
    const control = controlSchema.parse(input);
    const { host } = this;
    const { participant } = host;
    switch (control.kind) {
      case 'down':
        await this.transport.down();
        return {};
      case 'up':
        await this.transport.up();
        return {};
      case 'restart':
        return this.#restart(control.downMs ?? 0);
      case 'disconnect':
        this.transport.disconnect();
        return {};
      case 'identity':
        host.become(control.participantId, control.ledger ?? 'empty');
        return {
          participantId: host.participant.settings.participantId,
          ledgerEnd: host.participant.state.end,
        };
      case 'restore':
        host.restore(control.offset);
        this.transport.disconnect();
        return { ledgerEnd: host.participant.state.end };
      case 'prune': {
        const offset = Math.min(control.offset ?? participant.state.end, participant.state.end);
        participant.prune(offset, control.dedup ?? false);
        return { prunedUpTo: participant.state.prunedUpTo };
      }
      case 'quiet':
        participant.checkpoints.quiet = control.mode;
        return {};
      case 'dedup':
        participant.path.rules.dedup = control.on;
        return {};
      case 'clockSkew':
        participant.clock.skewMs = control.ms;
        participant.clock.participantSkewMs = control.participantMs ?? 0;
        return {};
      case 'latency':
        host.setLatency(control.ms);
        return {};
      case 'spend':
        return { spent: spend(participant, control.party, control.token, control.keep ?? false) };
      case 'release':
        return { released: release(participant, control.party, control.token) };
      case 'reassign':
        return { moved: reassign(participant, control.party, control.token, control.to) };
      case 'foreignAcceptance':
        return { offset: this.#foreignAcceptance(control) };
      case 'topology':
        if (control.is === 'back') participant.state.conditions.whereabouts.delete(control.party);
        else participant.state.conditions.whereabouts.set(control.party, control.is);
        return {};
      case 'traffic': {
        const { balances } = participant.state.conditions;
        if (!host.settings.generation.trafficAccounts)
          throw new BadRequest(`traffic: ${host.settings.apiVersion} has no traffic accounts, 3.5.7 has`);
        if (control.balance === null) balances.delete(control.party);
        else balances.set(control.party, control.balance);
        return {};
      }
      case 'network':
        participant.state.conditions.network = control.mode;
        return {};
      case 'inFlight':
        host.mostInFlight = control.most;
        return {};
      case 'token':
        host.setToken(control.token);
        return {};
      case 'rights':
        host.rights = control.rights;
        return {};
    }
  }

  async #restart(downMs: number): Promise<Readonly<Record<string, unknown>>> {
    await this.transport.down();
    if (downMs === 0) await this.transport.up();
    // Another process may have taken the port meanwhile: retry instead of failing.
    else this.#restarting = setTimeout(() => this.transport.up().catch(() => this.#restart(downMs)), downMs);
    return {};
  }

  #foreignAcceptance(control: Extract<Control, { kind: 'foreignAcceptance' }>): number {
    const { participant, settings } = this.host;
    const { party, commandId, userId = settings.userId } = control;
    const submissionId = control.submissionId ?? participant.submissionId();
    const [holding] = holdingsOf(participant, party).filter((it) => !participant.path.isLocked(it.id));
    const nodes = holding ? participant.update([holding.id], [holding.payload], '', []).nodes : [];
    return accept(participant, { userId, actAs: [party], commandId, submissionId }, nodes);
  }

  /** Allocates parties and mints their holdings; an existing party gets more. In order. */
  createParties(specs: readonly PartySpec[]): Allocated[] {
    const { participant } = this.host;
    const planned = specs.map((spec, index) => ({
      ...this.#identify(spec, index),
      mints: this.#mintsOf(spec),
    }));
    for (const { party, keys, mints } of planned) {
      participant.addParty(party, keys?.publicKey);
      mint(
        participant,
        mints.map((it) => ({ ...it, owner: party })),
      );
    }
    return planned.map(({ party, keys }) =>
      keys ? { party, external: { party, ...published(keys) } } : { party },
    );
  }

  #identify(spec: PartySpec, index: number): { readonly party: string; readonly keys?: Keys } {
    const { party, hint } = spec;
    const external = spec.external === true || spec.publicKey !== undefined;
    if (party !== undefined) {
      if (external) throw new BadRequest("external: the key determines the party's id, give a hint instead");
      return { party };
    }
    const place = this.host.participant.state.parties().length + index;
    const name = hint ?? `party-${place}`;
    if (!/^[A-Za-z0-9:\-_ ]{1,180}$/.test(name))
      throw new BadRequest(`hint: ${JSON.stringify(name)} is not a party name`);
    if (!external) return { party: `${name}::${namespaceOf(this.host.participant.settings.participantId)}` };
    const keys = this.#keysOf(spec.publicKey, `${this.host.settings.seed}/${name}/${place}`);
    return { party: `${name}::${keys.publicKey.fingerprint}`, keys };
  }

  #keysOf(given: string | undefined, label: string): Keys {
    if (given === undefined) return deriveKeyPair(label);
    const publicKey = readPublicKey(given);
    if (!publicKey)
      throw new BadRequest(`publicKey: ${JSON.stringify(given.slice(0, 20))} is not a secp256k1 key`);
    return { publicKey, privateKey: null };
  }

  #mintsOf(spec: PartySpec): Omit<Mint, 'owner'>[] {
    return (spec.holdings ?? []).map(({ token, amount, count = 1, locked = false }) => {
      const units = parseDecimal(`${amount}`);
      if (units === undefined || units <= 0n) {
        throw new BadRequest(`amount: ${JSON.stringify(amount)} is not a Decimal above 0`);
      }
      return { ...this.#instrument(token), amount: units, count, ...this.#lockOf(token, locked) };
    });
  }

  #lockOf(token: string, locked: LockSpec | boolean): Pick<Mint, 'lock'> {
    if (locked === false) return {};
    const { endsInMs, forMs, context, holders } = locked === true ? {} : locked;
    const { kind } = this.#instrument(token);
    if (forMs !== undefined && lockEnds[kind] !== 'both')
      throw new BadRequest(`locked.forMs: ${token}'s template has no field for it`);
    if (endsInMs !== undefined && lockEnds[kind] === 'none')
      throw new BadRequest(`locked.endsInMs: locks of ${token} have no end`);
    const ends = endsInMs ?? (lockEnds[kind] === 'at' ? YEAR_MS : undefined);
    const micros = (ms: number) => Math.round(ms * 1000);
    return {
      lock: {
        holders: holders ?? [this.#instrument(token).instrumentId.admin],
        ...(ends === undefined
          ? {}
          : { expiresAt: this.host.participant.clock.participant() + micros(ends) }),
        ...(forMs === undefined ? {} : { expiresAfter: micros(forMs) }),
        ...(context === undefined ? {} : { context }),
      },
    };
  }

  #instrument(token: string): Pick<Mint, 'kind' | 'instrumentId'> {
    const known = this.tokens.find(
      ({ address, symbol }) => address.toLowerCase() === token.toLowerCase() || symbol === token,
    );
    const id = known?.symbol ?? token;
    const instrumentId = { admin: adminOf(known ?? {}, this.host.identity), id };
    if (known?.holdings !== undefined) return { kind: known.holdings, instrumentId };
    return { kind: known?.registry === undefined ? 'holding' : 'utilityHolding', instrumentId };
  }

  /** By instrument: the sum, and the number of holdings. */
  balances(party: string): Record<string, { amount: string; holdings: number; locked: number }> {
    const sums = new Map<string, { units: bigint; holdings: number; locked: number }>();
    for (const { payload } of holdingsOf(this.host.participant, party)) {
      const sum = sums.get(payload.instrumentId.id) ?? { units: 0n, holdings: 0, locked: 0 };
      sum.units += payload.amount;
      sum.holdings += 1;
      if (payload.lock) sum.locked += 1;
      sums.set(payload.instrumentId.id, sum);
    }
    const entries = [...sums].map(([id, { units, ...rest }]) => [
      id,
      { amount: formatDecimal(units), ...rest },
    ]);
    return Object.fromEntries(entries);
  }

  close(): void {
    clearTimeout(this.#restarting);
  }
}
