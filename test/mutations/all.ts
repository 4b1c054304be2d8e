import { answers } from './answers.js';
import { database } from './database.js';
import { doctor } from './doctor.js';
import { examples } from './examples.js';
import { externals } from './external.js';
import { fleets } from './fleet.js';
import { holdings } from './holdings.js';
import { leavings } from './leaving.js';
import { ledger } from './ledger.js';
import type { Mutation } from './mutation.js';
import { operator } from './operator.js';
import { ops } from './ops.js';
import { outbox } from './outbox.js';
import { page } from './page.js';
import { people } from './people.js';
import { pinning } from './pinning.js';
import { reading } from './reading.js';
import { recheck } from './recheck.js';
import { signings } from './signing.js';
import { store } from './store.js';
import { tokens } from './tokens.js';
import { waits } from './waits.js';

export const mutations: readonly Mutation[] = [
  ...answers,
  ...database,
  ...doctor,
  ...examples,
  ...externals,
  ...fleets,
  ...holdings,
  ...leavings,
  ...ledger,
  ...operator,
  ...ops,
  ...outbox,
  ...page,
  ...people,
  ...pinning,
  ...reading,
  ...recheck,
  ...signings,
  ...store,
  ...tokens,
  ...waits,
];
