// A misspelt setting would silently keep its default, so environment variables that look like settings are reported.
import { editDistance } from '../core/words.js';
import { settingNames } from './settings.js';

/** Set by our own processes for each other, or read by something else in this repository. */
const OTHERS = new Set(['CANTON_SUBMITTER_POSTGRES_ORDER']);

/** With more edits than this, nobody would call it a misspelling. */
const NEAR = 2;

export function unknownNames(env: NodeJS.ProcessEnv): string[] {
  const known = new Set<string>(settingNames);
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || known.has(name) || OTHERS.has(name)) continue;
    const near = nearest(name);
    if (near !== null) warnings.push(`${name} is not a setting: did you mean ${near}?`);
    else if (name.startsWith('CANTON_')) warnings.push(`${name} is not a setting, and has no effect`);
  }
  return warnings;
}

function nearest(name: string): string | null {
  const plain = squeeze(name);
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const candidate of settingNames) {
    const edits = squeeze(candidate) === plain ? 0 : editDistance(name.toUpperCase(), candidate);
    // A short name resembles too many others: LANE is probably LANES, but LOG is not.
    const allowed = Math.min(NEAR, Math.floor(candidate.length / 4));
    if (edits <= allowed && (best === null || edits < best.edits)) best = { name: candidate, edits };
  }
  return best?.name ?? null;
}

const squeeze = (name: string): string => name.replaceAll('_', '').toUpperCase();
