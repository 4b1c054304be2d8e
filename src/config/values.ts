// How the text of one setting becomes a value. Every error says what is wrong and what to write instead.
import { z } from 'zod';
import { DAY_MS, type Party, party } from '../core/ids.js';
import { parseCantonUrl } from '../ledger/url.js';
import { parseDatabaseUrl } from '../store/url.js';
import { masterKeyFrom } from '../transfer/key.js';
import { withoutPassword } from './secrets.js';

/** Recognised by its class alone, so that a value may be of any type. */
class Wrong {
  constructor(readonly what: string) {}
}
const wrong = (what: string): Wrong => new Wrong(what);

/** What README and `--help` say about a setting. */
export interface Described {
  /** As shown: `5000`, `required`, `none`. */
  readonly fallback: string;
  readonly about: string;
}

type Parse<T> = (text: string) => T | Wrong;

/** The value does not appear in the message if it may be a secret. */
const parsed = <T>(parse: Parse<T>, secret: boolean) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (!(value instanceof Wrong)) return value;
    const shown = secret ? '' : `is ${JSON.stringify(text)}: `;
    context.addIssue({ code: 'custom', input: secret ? '' : text, message: `${shown}${value.what}` });
    return z.NEVER;
  });

/** How a log shows a value that is right. */
export interface Shown {
  readonly show: (text: string) => string;
}

export interface Kind<T> extends Partial<Shown> {
  readonly parse: Parse<T>;
  readonly secret?: boolean;
}

const asItIs = (text: string): string => text;
const notAtAll = (): string => '***';

export const required = <T>(
  { parse, secret = false, show = asItIs }: Kind<T>,
  about: string,
  fallback = 'required',
) => z.string('is not set').pipe(parsed(parse, secret)).meta({ fallback, about, show });

export const optional = <T>(
  { parse, secret = false, show = asItIs }: Kind<T>,
  about: string,
  fallback = 'none',
) => parsed(parse, secret).optional().meta({ fallback, about, show });

export const withDefault = <T>({ parse }: Kind<T>, fallback: string, about: string) =>
  parsed(parse, false).prefault(fallback).meta({ fallback, about });

export const text: Kind<string> = {
  parse: (value) => (value.trim() === value ? value : wrong('remove the spaces around it')),
};

export const secretText: Kind<string> = {
  secret: true,
  show: notAtAll,
  parse: (value) => (/^[\x21-\x7e]+$/.test(value) ? value : wrong('use printable ASCII without spaces')),
};

export const masterKey: Kind<Uint8Array> = {
  secret: true,
  show: notAtAll,
  parse(value) {
    const key = masterKeyFrom(value);
    return typeof key === 'string' ? wrong(key) : key;
  },
};

/** Not shown if it is wrong, because a password in it may be what is wrong. */
export const httpUrl: Kind<string> = {
  secret: true,
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : null;
    return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
      ? value
      : wrong('must look like https://host/path, with no user or password in it');
  },
};

export const integer = (least: number, most: number, unit = ''): Kind<number> => ({
  parse(value) {
    const range = `give a whole number${unit}, ${least} to ${most}`;
    if (!/^\d{1,15}$/.test(value)) return wrong(range);
    const number = Number(value);
    return number < least || number > most ? wrong(range) : number;
  },
});

/** More than a day must be a mistake of unit, and setTimeout cannot count beyond 24.8 days. */
export const milliseconds = (least: number, most = DAY_MS): Kind<number> =>
  integer(least, most, ' of milliseconds');

export const oneOf = <const T extends string>(...allowed: readonly T[]): Kind<T> => ({
  parse: (value) => allowed.find((one) => one === value) ?? wrong(`give one of ${allowed.join(', ')}`),
});

/** Comma-separated, with optional spaces. */
export const listOf = <const T extends string>(...allowed: readonly T[]): Kind<readonly T[]> => ({
  parse(value) {
    const given = value.split(',').map((one) => one.trim());
    const known = given.flatMap((one) => allowed.find((name) => name === one) ?? []);
    return known.length === given.length
      ? known
      : wrong(`give any of ${allowed.join(', ')}, comma-separated`);
  },
});

/** Parsed here exactly as where it is used, so that it is refused now or never. No part of it is shown. */
export const postgresUrl: Kind<string> = {
  secret: true,
  show: withoutPassword,
  parse(value) {
    const url = parseDatabaseUrl(value);
    return 'problem' in url ? wrong(url.problem) : value;
  },
};

export const cantonUrl: Kind<string> = {
  parse(value) {
    if (value.startsWith('http://')) return wrong('give host:port for plaintext, https://host:port for TLS');
    return parseCantonUrl(value) === null ? wrong('give host:port, or https://host:port for TLS') : value;
  },
};

/** Canton's limit, which is also that of the database columns. */
const PARTY_MAX = 255;
export const isPartyId = (value: string): boolean =>
  value.length <= PARTY_MAX && /^[\w :-]+::\w+$/.test(value);

export const partyId: Kind<Party> = {
  parse: (value) => (isPartyId(value) ? party(value) : wrong('a party id looks like name::1220…')),
};

export const packageName: Kind<string> = {
  parse: (value) =>
    /^(#[\w.-]+|[0-9a-f]{64})$/.test(value)
      ? value
      : wrong('give #package-name, or a package id of 64 hex digits'),
};

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A bare port means loopback: leaving something out must not open a port to the network. */
export const listenAddress: Kind<Address | null> = {
  parse(value) {
    if (value === 'off') return null;
    const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))?:)?(\d{1,5})$/.exec(value);
    const port = Number(match?.[3]);
    if (match === null || port > 65_535) return wrong('give host:port, a port, or off');
    return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
  },
};
