import { answers } from './answers.js';
import { doctor } from './doctor.js';
import { externals } from './external.js';
import { ledger } from './ledger.js';
import type { Mutation } from './mutation.js';
import { ops } from './ops.js';
import { reading } from './reading.js';
import { signings } from './signing.js';
import { store } from './store.js';

export const mutations: readonly Mutation[] = [
  ...store,
  ...ledger,
  ...externals,
  ...ops,
  ...reading,
  ...answers,
  ...signings,
  ...doctor,
];
