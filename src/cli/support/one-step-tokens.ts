// Of TOKENS_FILE, only what the database side needs: which tokens move in one step. The whole file is checked by `run`.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const tokensFile = z.record(
  z.string(),
  z.looseObject({ steps: z.union([z.literal(1), z.literal(2)]).optional() }),
);

/** Their addresses; null where the setting is not there. What is wrong with the file goes to `problems`. */
export function readOneStepTokens(path: string | undefined, problems: string[]): readonly string[] | null {
  if (!path) return null;
  try {
    const tokens = tokensFile.parse(JSON.parse(readFileSync(path, 'utf8')));
    return Object.keys(tokens).filter((address) => tokens[address]?.steps !== 2);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    problems.push(`TOKENS_FILE: ${path} cannot be read: ${why}`);
    return null;
  }
}
