// The least that `run` takes, and files for what it names.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ConfigError } from '../../src/config.js';

export const ISSUER = `issuer::1220${'ab'.repeat(32)}`;
export const ADDRESS = '0xDE30000000000000000000000000000000000001';
export const DEMO = {
  name: 'Demo',
  symbol: 'DEMO',
  decimals: 18,
  instrumentAdmin: ISSUER,
  instrumentId: 'DEMO',
};

const folder = mkdtempSync(path.join(tmpdir(), 'canton-config-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
export function file(content: unknown): string {
  const name = path.join(folder, `file-${files++}`);
  writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

export const least = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  DATABASE_URL: 'postgres://api:s3cret@db.internal:5432/api',
  CANTON_URL: 'https://participant.internal:5001',
  CANTON_USER_ID: 'submitter',
  CANTON_SYNCHRONIZER_ID: 'global::1220aa',
  CANTON_ISSUER_PARTY: ISSUER,
  TOKENS_FILE: file({ [ADDRESS]: DEMO }),
  ...more,
});

export function problemsOf(t: ExecutionContext, load: () => unknown): readonly string[] {
  return t.throws(load, { instanceOf: ConfigError })?.problems ?? [];
}
