// What processes of tests start from: see `compile.js`.
import path from 'node:path';
import { compile } from './compile.js';

let made: string | undefined;

/** The path of a source, compiled: `cli/main`, or of `test`. */
export function compiled(source: string, of: 'src' | 'test' = 'src'): string {
  // ava has made it already, and started this from there.
  made ??= process.env.TEST_COMPILED ?? compile();
  return path.join(made, of, `${source}.js`);
}
