// Checks whether the participant, the user, the synchronizer and the issuer are those in the settings. Pure.
import type { ConnectedSynchronizer } from '../ledger/state.js';
import { isClosed } from '../ports/ledger.js';
import type { Facts, PreflightSettings } from './facts.js';
import { type Finding, fail, ok, skipped, unread, wait, warn } from './finding.js';
import { nearest } from './nearest.js';

export function participantFindings(facts: Facts, settings: PreflightSettings): Finding[] {
  return [
    version(facts.version),
    identity(facts.participantId, settings),
    user(facts.user),
    synchronizer(facts.synchronizers, settings),
    issuer(facts, settings),
    reader(facts, settings),
    factory(facts.factories, settings),
  ];
}

/** ExecuteSubmissionAndWait exists from 3.4.4 on. */
function version(read: Facts['version']): Finding {
  const check = 'version';
  if (read.kind === 'failed-read')
    return unread(check, read, { what: 'the API version', todo: 'check CANTON_URL' });
  const { version: said } = read.value;
  const [, major, minor, patch] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(said) ?? [];
  if (major !== '3') {
    return fail(
      check,
      `the participant speaks Ledger API ${said}`,
      'this program needs 3.x: check CANTON_URL',
    );
  }
  const numbers = Number(minor) * 1_000 + Number(patch ?? 0);
  return numbers < 4_004
    ? warn(
        check,
        `Ledger API ${said} has no ExecuteSubmissionAndWait`,
        'external senders need participant 3.4.4 or later',
      )
    : ok(check, `Ledger API ${said}`);
}

function identity(read: Facts['participantId'], { participantId }: PreflightSettings): Finding {
  const check = 'participant id';
  if (read.kind === 'read') {
    return participantId === null || participantId === read.value
      ? ok(check, read.value)
      : fail(
          check,
          `it is ${read.value}, but CANTON_PARTICIPANT_ID says ${participantId}`,
          'check CANTON_URL, or correct CANTON_PARTICIPANT_ID',
        );
  }
  if (!isClosed(read)) return unread(check, read, { what: 'the participant id', todo: 'check CANTON_URL' });
  return participantId === null
    ? fail(check, 'this token may not ask for it', 'set CANTON_PARTICIPANT_ID')
    : skipped(
        check,
        `this token may not ask for it; assumed to be ${participantId}`,
        'check CANTON_PARTICIPANT_ID by hand',
      );
}

const user = (read: Facts['user']): Finding =>
  read.kind === 'read'
    ? ok('user', read.value)
    : unread('user', read, { what: 'the ledger user', todo: 'set CANTON_USER_ID' });

function synchronizer(read: Facts['synchronizers'], { synchronizerId }: PreflightSettings): Finding {
  const check = 'synchronizer';
  if (read.kind === 'failed-read') {
    return unread(check, read, {
      what: 'the connected synchronizers',
      todo: 'check CANTON_SYNCHRONIZER_ID by hand',
    });
  }
  const connected = read.value;
  if (connected.length === 0) {
    return wait(check, 'the participant is not connected to any synchronizer now', 'connect it');
  }
  if (connected.some(({ id }) => id === synchronizerId)) return ok(check, synchronizerId);
  const { id, how } = meant(synchronizerId, connected);
  const list = connected.map((one) => one.id).join(', ');
  return fail(
    check,
    `${synchronizerId} ${how}; the participant is connected to ${list}`,
    id === null ? 'set CANTON_SYNCHRONIZER_ID to the right one' : `set CANTON_SYNCHRONIZER_ID=${id}`,
  );
}

function meant(
  given: string,
  connected: readonly ConnectedSynchronizer[],
): { readonly id: string | null; readonly how: string } {
  const physical = connected.find(({ id }) => given.startsWith(`${id}::`));
  if (physical !== undefined) {
    return {
      id: physical.id,
      how: 'is a physical id: the logical one, followed by a protocol version and a serial',
    };
  }
  const alias = connected.find((one) => one.alias === given);
  if (alias !== undefined) return { id: alias.id, how: 'is an alias' };
  const id = nearest(
    given,
    connected.map((one) => one.id),
  );
  return { id, how: id === null ? 'is not one it is connected to' : 'looks mistyped' };
}

function issuer({ issuerOn, synchronizers }: Facts, settings: PreflightSettings): Finding {
  const check = 'issuer';
  const { issuerParty, synchronizerId } = settings;
  const todo = "set CANTON_ISSUER_PARTY to canton-middleware's issuer, which this participant hosts";
  if (issuerOn.kind === 'failed-read') {
    return unread(check, issuerOn, { what: `the party ${issuerParty}`, todo });
  }
  // A participant that is connected to nothing would give the same answer.
  if (synchronizers.kind === 'read' && synchronizers.value.length === 0) {
    return wait(check, 'parties cannot be checked while no synchronizer is connected', 'connect it');
  }
  if (issuerOn.value.length === 0) {
    return fail(check, `the participant does not host ${issuerParty}`, todo);
  }
  const here = synchronizers.kind !== 'read' || synchronizers.value.every(({ id }) => id !== synchronizerId);
  return here || issuerOn.value.some(({ id }) => id === synchronizerId)
    ? ok(check, issuerParty)
    : fail(
        check,
        `${issuerParty} is hosted on ${issuerOn.value.map(({ id }) => id).join(', ')}, not on ${synchronizerId}`,
        'correct CANTON_ISSUER_PARTY or CANTON_SYNCHRONIZER_ID',
      );
}

/** If reading as the issuer worked, that is proof; the list of rights says the same if it may be read. */
function reader({ factories, rights, user: who }: Facts, { issuerParty }: PreflightSettings): Finding {
  const check = 'issuer rights';
  const name = who.kind === 'read' ? who.value : 'the ledger user';
  const todo = `grant ${name} CanReadAs for ${issuerParty}`;
  if (factories.kind === 'read') return ok(check, `${name} reads as the issuer`);
  if (isClosed(factories)) return wait(check, `${name} may not read as the issuer`, todo);
  if (rights.kind === 'read') {
    const { actAs, readAs } = rights.value;
    return readAs === 'any' || readAs.has(issuerParty) || actAs.has(issuerParty)
      ? ok(check, `${name} may read as the issuer`)
      : wait(check, `${name} may not read as the issuer`, todo);
  }
  return unread(check, rights, { what: `the rights of ${name}`, todo });
}

/** Tokens without a registry can only be moved by the issuer's factory. */
function factory(read: Facts['factories'], { issuerParty, tokens }: PreflightSettings): Finding {
  const check = 'factory';
  if (read.kind === 'failed-read') {
    return isClosed(read)
      ? skipped(check, 'the factory may not be read', 'check its rights')
      : unread(check, read, {
          what: "the issuer's transfer factory",
          todo: 'correct CIP56_PACKAGE or TRANSFER_PACKAGE',
        });
  }
  const [first, second] = read.value;
  if (first === undefined) {
    const what = `${issuerParty} has no transfer factory`;
    return [...tokens.values()].some(({ registryUrl }) => registryUrl === undefined)
      ? fail(check, what, 'correct CANTON_ISSUER_PARTY or CIP56_PACKAGE, or create the factory')
      : ok(check, `${what}; it is not needed, since every token has a registry`);
  }
  return second === undefined
    ? ok(check, first)
    : warn(
        check,
        `${read.value.length} transfer factories: transfers wait until only one is left`,
        'archive the others',
      );
}
