// Certificates for tests, made where and when they are needed: no private key is ever committed. X.509 v3 in DER by
// hand, since Node reads certificates and makes none.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM, of the certificate alone. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Authority extends Certificate {
  /** For this name, an address, or a client. From yesterday until tomorrow, unless it ended yesterday. */
  issue(name: string, options?: { readonly expired?: boolean }): Certificate;
}

const DAY_MS = 86_400_000;

export function createAuthority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name, privateKey };
  const made = (subject: string, key: KeyObject, ca: boolean, expired: boolean): string =>
    pem(certificate(issuer, subject, key, ca, expired));
  return {
    cert: made(name, publicKey, true, false),
    key: pkcs8(privateKey),
    issue(subject, { expired = false } = {}) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { cert: made(subject, pair.publicKey, false, expired), key: pkcs8(pair.privateKey) };
    },
  };
}

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;

function certificate(
  issuer: { readonly name: string; readonly privateKey: KeyObject },
  subject: string,
  publicKey: KeyObject,
  ca: boolean,
  expired: boolean,
): Buffer {
  const now = Date.now();
  const [from, until] = expired ? [now - 2 * DAY_MS, now - DAY_MS] : [now - DAY_MS, now + DAY_MS];
  const extensions = [
    // basicConstraints, critical.
    sequence(oid('551d13'), boolean(true), octets(sequence(...(ca ? [boolean(true)] : [])))),
    sequence(oid('551d11'), octets(sequence(alternativeName(subject)))),
  ];
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    distinguished(issuer.name),
    sequence(time(from), time(until)),
    distinguished(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', signed, issuer.privateKey);
  return sequence(signed, ECDSA_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
const octets = (content: Buffer): Buffer => tagged(0x04, content);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
/** commonName, as UTF8String. */
const distinguished = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(name)))));
/** UTCTime, to the second. */
const time = (ms: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const alternativeName = (name: string): Buffer =>
  /^[\d.]+$/.test(name)
    ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
    : tagged(0x82, Buffer.from(name));
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
