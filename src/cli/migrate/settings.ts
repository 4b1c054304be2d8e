// What `migrate` reads of the environment: the values that it pins, parsed as `run` parses them.
import { z } from 'zod';
import { pinned } from '../../config/settings.js';
import { oneStepTokens } from '../../config/tokens-file.js';
import { databaseProblems } from '../../config.js';
import { ConfigError } from '../../core/errors.js';
import type { Lanes, Outcomes, SameNonce } from '../../store/pins.js';

/** Null: not set. */
export interface MigrateSettings {
  readonly url: string | null;
  readonly lanes: Lanes | null;
  readonly toleranceMs: number | null;
  readonly clockSkewMaxMs: number | null;
  readonly sameNonce: SameNonce | null;
  readonly outcomes: Outcomes | null;
  readonly oneStepTokens: readonly string[] | null;
}

/** Reports all problems together. */
export function readSettings(env: NodeJS.ProcessEnv, needsDatabase: boolean): MigrateSettings {
  // An empty variable counts as not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = z.object(pinned).safeParse(given);
  const problems = (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
  if (needsDatabase) problems.push(...databaseProblems(env));
  const oneStep = oneStepTokens(env.TOKENS_FILE, problems);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const { data } = parsed;
  // The defaults are for `run`, which compares them with the pins: what is not set here is not asked for.
  const asked = <K extends keyof typeof data>(name: K): Exclude<(typeof data)[K], undefined> | null => {
    const value = data[name] as Exclude<(typeof data)[K], undefined>;
    return given[name] === undefined ? null : value;
  };
  return {
    url: given.DATABASE_URL ?? null,
    lanes: asked('LANES'),
    toleranceMs: asked('LEDGER_TIME_TOLERANCE_MS'),
    clockSkewMaxMs: asked('CLOCK_SKEW_MAX_MS'),
    sameNonce: asked('SAME_NONCE'),
    outcomes: asked('OUTCOMES'),
    oneStepTokens: oneStep,
  };
}
