import test from 'ava';
import { dbMillis } from '../../../src/core/ids.js';
import { clockState, ledgerAheadMs } from '../../../src/path/gate/clocks.js';

const sample = (recordTime: bigint) => ({
  sentAt: dbMillis(10_000),
  answeredAt: dbMillis(20_000),
  recordTime,
});
const MAX = 60_000;

test('I7 a record time between sending and answer says nothing; outside, by how much the clocks differ at least', (t) => {
  t.is(ledgerAheadMs(sample(10_000_000n)), 0);
  t.is(ledgerAheadMs(sample(20_000_000n)), 0);
  t.is(ledgerAheadMs(sample(9_000_000n)), -1_000);
  t.is(ledgerAheadMs(sample(21_500_000n)), 1_500);
});

test('I7 five seconds warn, half of what the bounds allow for stops, either way', (t) => {
  t.deepEqual(clockState(sample(24_999_000n), MAX), { kind: 'fine' });
  t.deepEqual(clockState(sample(25_000_000n), MAX), { kind: 'apart', ledgerAheadMs: 5_000 });
  t.deepEqual(clockState(sample(5_000_000n), MAX), { kind: 'apart', ledgerAheadMs: -5_000 });
  t.is(clockState(sample(49_999_000n), MAX).kind, 'apart');
  t.deepEqual(clockState(sample(50_000_000n), MAX), { kind: 'too-far', ledgerAheadMs: 30_000 });
  t.is(clockState(sample(-20_000_000n), MAX).kind, 'too-far');
  t.is(clockState(sample(20_000_000n), 0).kind, 'fine', 'nothing is allowed for, and nothing is off');
  t.is(clockState(sample(20_001_000n), 0).kind, 'too-far');
});
