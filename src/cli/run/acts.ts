// What can be done from the page: what the commands do, with the name that the person gave in the audit.
import type { TxHash } from '../../core/ids.js';
import type { Doing, Done, PageActs, PauseWhat } from '../../observe/page.js';
import { pauseRows, resumeRows } from '../../store/operator/pauses.js';
import { notReplayed, replay } from '../../store/operator/replay.js';
import type { Database } from '../../store/pool.js';
import { WHY_NOT } from '../replay/plain.js';

export function pageActs(database: Database, instance: string, changed: () => void): PageActs {
  const person = ({ by }: Doing): string => `${by} (page of ${instance})`;
  return {
    async replay(hash, doing) {
      const of = { hash: hash as TxHash };
      const options = { dryRun: false, by: person(doing), reason: doing.reason };
      const [row] = await replay(database, of, options);
      changed();
      if (row !== undefined)
        return done(`${hash} is due again${row.undecided ? ', and looked up first' : ''}.`);
      return refused(`${hash} is not replayed: ${WHY_NOT[await notReplayed(database, of.hash)]}.`);
    },
    async pauseRows(what, doing) {
      await pauseRows(database, what, doing.reason, person(doing));
      changed();
      return done(`Paused: ${words(what)}. Rows in flight will finish.`);
    },
    async resumeRows(what, doing) {
      const ended = await resumeRows(database, what, doing.reason, person(doing));
      changed();
      return ended === null ? refused(`Not paused: ${words(what)}.`) : done(`Resumed: ${words(what)}.`);
    },
  };
}

const done = (what: string): Done => ({ done: true, what });
const refused = (what: string): Done => ({ done: false, what });
const words = (what: PauseWhat): string =>
  what.scope === 'all' ? 'everything' : `${what.scope} ${what.address}`;
