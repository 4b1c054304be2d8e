// Asks a person to confirm something that no other command can undo.
import { ConfigError } from '../../core/errors.js';
import { canAsk, confirmed } from './confirm.js';

/** Says what will be lost, then asks. A script has no terminal to be asked on and passes --yes. */
export async function agreed(lost: string, question: string, yes: boolean): Promise<boolean> {
  console.log(lost);
  if (yes) return true;
  if (!canAsk())
    throw new ConfigError(['nothing was changed: there is no terminal to ask for confirmation; pass --yes']);
  return await confirmed(`${question} [y/N] `);
}
