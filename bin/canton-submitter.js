#!/usr/bin/env node
// Starts the command line: a clone from its sources, so that it works after `npm ci` and is never older than they are; an
// installed package from what was built.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';

const built = new URL('../dist/cli/main.js', import.meta.url);
const source = new URL('../src/cli/main.ts', import.meta.url);

// Node 22.8 and later keep compiled code between processes.
nodeModule.enableCompileCache?.();

if (existsSync(source) && (await isInstalled('esbuild'))) {
  const { fromSource } = await import('./from-source.js');
  await import(await fromSource());
} else if (existsSync(built)) {
  await import(built.href);
} else {
  console.error(
    existsSync(source)
      ? 'canton-submitter: this clone has neither dist/ nor its development dependencies: run `npm ci`'
      : 'canton-submitter: this installation has neither dist/ nor src/: install it again',
  );
  process.exit(1);
}

/** @param {string} name */
async function isInstalled(name) {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
