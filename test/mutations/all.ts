import { externals } from './external.js';
import { ledger } from './ledger.js';
import type { Mutation } from './mutation.js';
import { operator } from './operator.js';
import { ops } from './ops.js';
import { store } from './store.js';

export const mutations: readonly Mutation[] = [...store, ...ledger, ...externals, ...ops, ...operator];
