// A person's word on something that no second command undoes.
import { ConfigError } from '../../core/errors.js';
import { canAsk, confirmed } from './confirm.js';

/** Says what is lost, and asks. A script has no terminal to be asked on: it says --yes. */
export async function agreed(lost: string, question: string, yes: boolean): Promise<boolean> {
  console.log(lost);
  if (yes) return true;
  if (!canAsk()) throw new ConfigError(['nothing was changed: there is no terminal to ask on, so say --yes']);
  return await confirmed(`${question} [y/N] `);
}
