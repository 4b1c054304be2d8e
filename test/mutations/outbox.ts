// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// Outcomes to others: none without its entry, none stepped over, each sender's in order, nobody else's acknowledgement.
import { entries, type Mutation } from './mutation.js';

const in_ = entries('outbox');
const stored = in_('test/store/outbox.test.ts');
const delivered = in_('test/outbox/deliver.test.ts');
const consumed = in_('test/outbox/consume.test.ts');

export const outbox: readonly Mutation[] = [
  stored(
    'outcomes.sql',
    "\n        or (new.status = 'pending' and new.available_at = 'infinity' and old.available_at < 'infinity')",
    '',
    'an outcome and its entry commit together*',
    'what is parked is told',
  ),
  stored(
    'outcomes.sql',
    'set position = v_last + f.nr',
    'set position = o.id',
    'entries that commit out of the order*',
    'a reader steps over nothing that commits late',
  ),
  stored(
    'outcomes.sql',
    'on conflict (lane) do update set lane = excluded.lane',
    'on conflict (lane) do nothing',
    'an entry that is queued while*',
    'a sender with something to deliver stays queued',
  ),
  stored(
    'outcomes.sql',
    'from mempool_outbox_lanes_v1 l where l.due_at <= now()',
    'from mempool_outbox_lanes_v1 l where true',
    'a sender’s outcomes belong to one deliverer*',
    'a sender belongs to one deliverer',
  ),
  stored(
    'outcomes.sql',
    'where l.lane = p_lane and l.token = p_token for update',
    'where l.lane = p_lane for update',
    'a sender’s outcomes belong to one deliverer*',
    'who has lost the sender writes nothing',
  ),
  stored(
    'outcomes.sql',
    ' and (c.token is null or c.token = p_token or c.lease_expires_at <= now())',
    '',
    'one process reads for a consumer*',
    'one process at a time reads for a consumer',
  ),
  stored(
    'src/store/outbox.ts',
    'c.token = $2 and set_config',
    '(c.token = $2 or true) and set_config',
    'one process reads for a consumer*',
    'who has lost the consumer acknowledges nothing',
  ),
  stored(
    'src/store/operator/prune-outcomes.ts',
    '\n          and o.position <= all (select c.acknowledged from mempool_outbox_consumers_v1 c) as over',
    ' as over',
    'only what every consumer has acknowledged*',
    'what a consumer has not acknowledged is kept',
  ),
  stored(
    'src/store/migrate/outcomes.ts',
    "if (outcomes === 'off') await client.query(OFF);",
    "if (outcomes === 'off') {}",
    'off: not one row*',
    'off writes nothing',
  ),
  consumed(
    'src/outbox/consume.ts',
    '        yield outcome;\n',
    '        await store.acknowledge(outcome.position);\n        yield outcome;\n',
    'for await: going on acknowledges*',
    'an outcome is acknowledged after it was dealt with',
  ),
  delivered(
    'src/outbox/deliver.ts',
    'waitMs: waitMs(entry, attempt) };\n        break;',
    'waitMs: waitMs(entry, attempt) };\n        continue;',
    'one sender’s message that is not taken*',
    'a sender’s next waits for the one before',
  ),
  delivered(
    'src/outbox/receiver.ts',
    'id: outcome.id, seconds, body',
    'id: crypto.randomUUID(), seconds, body',
    'one sender’s message that is not taken*',
    'a repetition has its id again',
  ),
  in_('test/outbox/signature.test.ts')(
    'src/outbox/signature.ts',
    '`${message.id}.${timestamp}.${message.body}`',
    '`${message.id}.${message.body}`',
    'signs as the libraries*',
    'the time of the attempt is signed',
  ),
  in_('test/process/webhooks.test.ts')(
    'outcomes.sql',
    "set token = gen_random_uuid(), due_at = now() + p_lease_ms * interval '1 ms'",
    "set token = gen_random_uuid(), due_at = 'infinity'",
    'an instance is killed*',
    'what a dead instance was delivering is delivered',
  ),
];
