// What each of our roles may do with each table and function. `run` refuses to start without its own, `migrate --roles`
// prints them as grants, and a test compares the list with what a migrated database has.

/** Whatever is not here is nobody's but the owner's. */
export interface Privileges {
  readonly run?: string;
  /** Granted with it, and not asked for by `run`: what people do as the same role, from the page too, and forgetting old stories. */
  readonly besides?: string;
  readonly status?: string;
}

/** The API's tables and ours. `update` on mempool is on all columns, because a recheck locks the table. */
export const TABLES: Readonly<Record<string, Privileges>> = {
  mempool: { run: 'select, update', status: 'select' },
  users: { run: 'select' },
  mempool_submitter_v1: { run: 'select, update', status: 'select' },
  // `status` here: a row's story, by `show`.
  mempool_submitter_audit_v1: { run: 'select, insert', status: 'select' },
  // The page's last hour.
  mempool_samples_v1: { run: 'select, insert, delete', status: 'select' },
  mempool_ended_v1: { run: 'select', status: 'select' },
  // An instance says how it is, and forgets those that are long dead.
  mempool_instances_v1: { run: 'select, insert, update, delete', status: 'select' },
  mempool_pauses_v1: { run: 'select', besides: 'insert, update, delete', status: 'select' },
  mempool_attempts_v1: { run: 'select, insert', besides: 'delete', status: 'select' },
};

/** They do what the role that calls them may do. `status` compares addresses, and calls nothing else. */
export const FUNCTIONS: Readonly<Record<string, Privileges>> = {
  mempool_address_v1: { run: 'execute', status: 'execute' },
  mempool_sender_v1: { run: 'execute', status: 'execute' },
  mempool_proven_v1: { run: 'execute' },
  mempool_synced_v1: { run: 'execute' },
  mempool_database_v1: { run: 'execute' },
  mempool_moved_v1: { run: 'execute' },
  mempool_stale_v1: { run: 'execute' },
  mempool_waiting_lanes_v1: { run: 'execute' },
  mempool_ring_lanes_v1: { run: 'execute' },
  mempool_choose_v1: { run: 'execute' },
  mempool_set_aside_v1: { run: 'execute' },
  mempool_take_v1: { run: 'execute' },
  mempool_claim_v1: { run: 'execute' },
  mempool_write_ahead_v1: { run: 'execute' },
  mempool_settle_v1: { run: 'execute' },
  mempool_renew_v1: { run: 'execute' },
  mempool_rescue_v1: { run: 'execute' },
  mempool_beat_v1: { run: 'execute' },
  // LANES=holdings.
  mempool_beginners_v1: { run: 'execute' },
  mempool_reserved_v1: { run: 'execute' },
  mempool_reserve_v1: { run: 'execute' },
  mempool_await_v1: { run: 'execute' },
  // Triggers, which run for whoever writes to the table: nobody calls them.
  mempool_doorbell_v1: {},
  mempool_guard_v1: {},
  mempool_remember_v1: {},
  mempool_answer_v1: {},
  mempool_truncate_v1: {},
};

/** Only where outcomes are pinned. Consumers have privileges of their own (docs/outcomes.md). */
export const OUTBOX_TABLES: Readonly<Record<string, Privileges>> = {
  mempool_outbox_v1: { run: 'select, update', status: 'select' },
  mempool_outbox_counter_v1: { run: 'select, update', status: 'select' },
  mempool_outbox_lanes_v1: { run: 'select, insert, update, delete', status: 'select' },
  mempool_outbox_consumers_v1: { status: 'select' },
};

export const OUTBOX_FUNCTIONS: Readonly<Record<string, Privileges>> = {
  mempool_outbox_number_v1: { run: 'execute' },
  mempool_outbox_claim_v1: { run: 'execute' },
  mempool_outbox_release_v1: { run: 'execute' },
  mempool_outbox_read_v1: {},
  mempool_outcome_v1: {},
};
