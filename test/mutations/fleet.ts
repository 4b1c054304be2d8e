// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is looked for is the text of a source
// The fleet, pauses, what people do by hand, and the stories of rows.
import { entries, type Mutation } from './mutation.js';

const of = entries('fleet');
const fleet = of('test/store/fleet.test.ts');
const stories = of('test/store/stories.test.ts');
const STORIES = 'src/store/stories.ts';
const control = of('test/store/control.test.ts');
const paused = of('test/history/paused.test.ts');
const story = of('test/cli/story.test.ts');
const BY_HAND = 'src/store/operator/by-hand.ts';
const FAIL = 'fail and park: only*';

export const fleets: readonly Mutation[] = [
  fleet(
    'src/store/operator/fleet.ts',
    '&& (leaseUntil ?? 0) <= now',
    '',
    'an instance is dead*',
    'who holds a lease is not dead',
  ),
  fleet(
    'protocol.sql',
    'set lost_rows = i.lost_rows + l.rows',
    'set lost_rows = i.lost_rows',
    'the fleet: each*',
    'a dead instance is shown with what it has lost',
  ),
  fleet(
    'src/store/operator/fleet.ts',
    '!tuples.some(going) && ',
    '',
    'a page asks*',
    'a page sees what a dying instance holds',
  ),
  fleet(
    'src/store/operator/fleet.ts',
    'clock.elapsed() - readAt < HELD_FRESH_MS',
    'false',
    'a page asks*',
    'a page does not read every row in flight each time',
  ),
  fleet(
    'src/store/operator/fleet.ts',
    'const readLate = heldAt - (one.seen_at ?? heldAt) >=',
    'const readLate = silentFor >=',
    'a page that is opened*',
    'what was read before a death does not tell what the dead one held',
  ),
  fleet(
    'src/store/operator/fleet.ts',
    " && fleet.some(({ life }) => life === 'ready')",
    '',
    'a page that is opened*',
    'where nobody is ready, a page looks for an earlier build',
  ),
  stories(
    STORIES,
    'order by i.started_at, i.holder limit 1',
    'order by i.started_at desc, i.holder limit 1',
    'one instance does it*',
    'one instance forgets for the fleet',
  ),
  stories(
    STORIES,
    "i.stopped_at is null and i.seen_at > now() - interval '1 minute' and ",
    '',
    'one instance does it*',
    'and it is one that lives',
  ),
  stories(
    STORIES,
    "o.ended_at < now() - $1::float8 * interval '1 ms' order by",
    "o.ended_at < now() + $1::float8 * interval '1 ms' order by",
    'what is older goes*',
    'a young entry of an old row stays',
  ),
  stories(
    'schema.sql',
    'on mempool_attempts_v1 (ended_at);',
    'on mempool_attempts_v1 (kind);',
    'stories of rows that are gone*',
    'a look costs in proportion to what it removes',
  ),
  stories(
    'schema.sql',
    '    alter table mempool_attempts_v1 replica identity full;\n',
    '    null;\n',
    'in a publication for all tables*',
    'stories can be deleted while they are published',
  ),
  stories(
    'src/store/pool.ts',
    ' && (await isStandby(client, failed))',
    '',
    'a primary that refuses*',
    'a primary is not left for a refusal that a standby makes too',
  ),
  stories(
    'src/submitter/forgetting.ts',
    'failures > 1 || ',
    '',
    'what looks like an outage*',
    'stories that pile up for what looks like an outage are a warning',
  ),
  of('test/store/roles.test.ts')(
    'src/submitter.ts',
    'signal.aborted || forgetting.start()',
    'signal.aborted',
    'migrate, run and status*',
    'an instance forgets old stories',
  ),
  control(
    'protocol.sql',
    '    if v_all_paused then',
    '    if false then',
    'paused, nothing is claimed*',
    'a claim takes nothing while everything is paused',
  ),
  control(
    'protocol.sql',
    '  if not p_look and exists (select from mempool_pauses_v1) then',
    '  if exists (select from mempool_pauses_v1) then',
    'paused, nothing is claimed*',
    'looks go on',
  ),
  control(
    'protocol.sql',
    '               and (p_tokens is null or mempool_address_v1(h.contract_address) <> all (p_tokens))\n            offset 0) d',
    '            offset 0) d',
    'a token that is paused*LANES=sender',
    'a head of a paused token stays',
  ),
  control(
    'protocol.sql',
    '               and (p_senders is null or l.lane <> all (p_senders))\n',
    '',
    'a token that is paused*LANES=sender',
    'a paused sender stays',
  ),
  control(
    'protocol.sql',
    '         and (p_senders is null or mempool_sender_v1(m.from_address) <> all (p_senders))\n',
    '',
    'a token that is paused*LANES=off',
    'a paused sender stays, without lanes',
  ),
  control(
    'protocol.sql',
    'p_senders is null then 0 else 512 end',
    'p_senders is null then 0 else 0 end',
    'paused rows at the front*',
    'nobody waits behind what is paused',
  ),
  control(BY_HAND, ' and m.sent_until is null`;', '`;', FAIL, 'an undecided row is left alone (rule 6)'),
  control(
    BY_HAND,
    "`m.status = 'pending' and m.claim_token is null and m.lease_expires_at is null",
    "`m.status = 'pending'",
    FAIL,
    'so is one that somebody holds',
  ),
  control(
    BY_HAND,
    '         and not ${ON_THE_LEDGER}\n',
    '',
    FAIL,
    'what the ledger has something of is not failed',
  ),
  control(BY_HAND, '         and p.halted is null\n', '', FAIL, 'nothing fails while claims are halted'),
  control(
    BY_HAND,
    '         and not ${IN_DOUBT}\n',
    '',
    FAIL,
    'nothing fails while the database is in doubt (P20)',
  ),
  control(
    BY_HAND,
    '         and not exists (select from mempool_ended_v1 e where e.tx_hash = m.tx_hash)\n',
    '',
    FAIL,
    'what has ended before keeps its end (I4)',
  ),
  paused(
    'src/path/send.ts',
    'if (paused !== null) return stop(unsent(paused));',
    '',
    'paused: nothing leaves*hosted*',
    'what was claimed before the pause, and is slow, does not leave',
  ),
  story(
    'protocol.sql',
    "when s.bound is not null then 'dead'",
    '',
    'each attempt is told*',
    'a death is told apart from a refusal',
  ),
];
