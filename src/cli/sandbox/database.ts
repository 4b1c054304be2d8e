// `sandbox --postgres`: a throw-away Postgres beside the participant, prepared for `run`.
import { oneStepTokens } from '../../config/tokens-file.js';
import { ConfigError } from '../../core/errors.js';
import { migrate } from '../../store/migrate/migrate.js';
import { missing, startPostgres, type ThrowawayPostgres } from '../support/throwaway-postgres.js';

export async function databaseFor(env: Readonly<Record<string, string>>): Promise<ThrowawayPostgres> {
  const problems: string[] = [];
  const tokens = oneStepTokens(env.TOKENS_FILE, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const postgres = await startPostgres().catch(missing);
  try {
    await migrate({
      url: postgres.url,
      lanes: null,
      toleranceMs: Number(env.LEDGER_TIME_TOLERANCE_MS),
      clockSkewMaxMs: Number(env.CLOCK_SKEW_MAX_MS),
      oneStepTokens: tokens,
      create: true,
      say: () => {},
    });
  } catch (error) {
    await postgres.stop();
    throw error;
  }
  return postgres;
}
