// `npm run test:recorded -- DIR`: what DIR's JSON files hold of created events, updates, completions and prepared
// transactions (shapes of the JSON Ledger API), through our own readers. Exit 1: something was not read as it is.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Json } from './json-values.js';
import { type Hasher, replay } from './replay.js';

const [dir] = process.argv.slice(2);
if (dir === undefined) {
  console.error('usage: npm run test:recorded -- DIR');
  process.exit(2);
}

const preparedHash = await ourHash();
let wrong = 0;
let read = 0;
for (const file of readdirSync(dir)
  .filter((name) => name.endsWith('.json'))
  .sort()) {
  const findings = replay(JSON.parse(readFileSync(path.join(dir, file), 'utf8')) as Json, preparedHash);
  console.log(`${file}: ${findings.length} read`);
  for (const { what, at, id, readAs, wrong: fault } of findings) {
    read += 1;
    if (fault !== null) wrong += 1;
    console.log(`  ${fault === null ? 'ok ' : 'BAD'} ${what} ${id}: ${readAs}`);
    if (fault !== null) console.log(`      at ${at}, where it is ${fault}`);
  }
}
console.log(`${read} read, ${wrong} wrong`);
if (read === 0) console.error(`nothing was found in ${dir}`);
process.exit(wrong === 0 && read > 0 ? 0 : 1);

/** Null where this build has none. */
async function ourHash(): Promise<Hasher | null> {
  const file = path.resolve(import.meta.dirname, '../../src/transfer/prepared-hash.ts');
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly preparedHash: Hasher };
    return module.preparedHash;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}
