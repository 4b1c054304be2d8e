#!/usr/bin/env node
// Starts the command line: what was built, else the TypeScript itself, so that a fresh clone works after `npm ci`.
import { existsSync } from 'node:fs';

const built = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../src/cli/main.ts', import.meta.url);

if (existsSync(built)) {
  await import(built.href);
} else if (existsSync(source)) {
  const tsx = await import('tsx/esm/api').catch(() => null);
  if (tsx === null) {
    console.error('canton-submitter: neither dist/ nor tsx is here: run `npm ci`, or `npm run build` first');
    process.exit(1);
  }
  tsx.register();
  await import(source.href);
} else {
  console.error('canton-submitter: this installation has neither dist/ nor src/: install it again');
  process.exit(1);
}
