// Settings around what is signed and what goes over a network in the clear.
import test from 'ava';
import { loadConfig } from '../../src/config.js';
import { ADDRESS, DEMO, file, least, problemsOf } from './environment.js';

const OTHER = '0xDE30000000000000000000000000000000000002';
const layout = { template: 'A.Token:Money', owner: 'held.by', amount: 'amount', admin: 'issuer' };

test('a token of another registry may describe its holdings', (t) => {
  const described = (holding: object) =>
    least({ TOKENS_FILE: file({ [ADDRESS]: DEMO, [OTHER]: { ...DEMO, holding } }) });
  for (const holding of [layout, { ...layout, id: 'instrument.id', lock: 'lock' }]) {
    t.deepEqual(loadConfig(described(holding)).tokens.get(OTHER.toLowerCase())?.holding, holding);
  }
  t.false('holding' in (loadConfig(least()).tokens.get(ADDRESS.toLowerCase()) ?? {}));
  for (const [change, said] of [
    [{ template: '#pkg:A:B' }, /holding\.template must be Module:Entity, without a package$/],
    [{ owner: undefined }, /holding\.owner must be a string$/],
    [{ amount: 'amount..x' }, /holding\.amount must be a path of labels, a\.b\.c$/],
    [{ lock: '' }, /holding\.lock must not be empty/],
    [{ balance: 'b' }, /balance is not a field of holding \(template, owner, amount, admin, id, lock\)$/],
  ] as const) {
    const problems = problemsOf(t, () => loadConfig(described({ ...layout, ...change })));
    t.true(problems.length > 0 && problems.some((problem) => said.test(problem)), problems.join('\n'));
  }
});

const TOKEN = { CANTON_TOKEN_FILE: file('opaque') };
const registry = (registryUrl: string) => ({
  TOKENS_FILE: file({ [ADDRESS]: { ...DEMO, registryUrl } }),
});

test('a token goes over a network in the clear only where somebody said so', (t) => {
  const outside = { ...TOKEN, CANTON_URL: 'participant.internal:5001' };
  const problems = problemsOf(t, () => loadConfig(least(outside)));
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /^CANTON_URL participant\.internal:5001 is plaintext .*ALLOW_PLAINTEXT=canton/);
  t.is(problemsOf(t, () => loadConfig(least({ ...outside, ALLOW_PLAINTEXT: 'registry' }))).length, 1);
  for (const fine of [
    { ...outside, ALLOW_PLAINTEXT: 'canton' },
    { ...outside, ALLOW_PLAINTEXT: 'registry, canton' },
    { ...TOKEN, CANTON_URL: 'https://participant.internal:5001' },
    { ...TOKEN, CANTON_URL: 'localhost:5001' },
    { ...TOKEN, CANTON_URL: '127.0.0.1:5001' },
    { ...TOKEN, CANTON_URL: '[::1]:5001' },
    { CANTON_URL: 'participant.internal:5001' },
  ]) {
    t.notThrows(() => loadConfig(least(fine)), JSON.stringify(fine));
  }
  t.is(problemsOf(t, () => loadConfig(least({ ALLOW_PLAINTEXT: 'all' }))).length, 1);
});

test("a registry's word comes over a network in the clear only where somebody said so", (t) => {
  const problems = problemsOf(t, () => loadConfig(least(registry('http://registry.example/'))));
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /registryUrl is plain http to another machine.*ALLOW_PLAINTEXT=registry/);
  t.is(
    problemsOf(t, () => loadConfig(least({ ...registry('http://10.0.0.1/'), ALLOW_PLAINTEXT: 'canton' })))
      .length,
    1,
  );
  for (const fine of [
    registry('https://registry.example/'),
    registry('http://127.0.0.1:8080/'),
    registry('http://localhost/'),
    { ...registry('http://registry.example/'), ALLOW_PLAINTEXT: 'registry' },
  ]) {
    t.notThrows(() => loadConfig(least(fine)), JSON.stringify(fine));
  }
});

test('an offer waits a day for its receiver, or as long as is said', (t) => {
  t.is(loadConfig(least()).offerLifetimeMs, 86_400_000);
  t.is(loadConfig(least({ OFFER_LIFETIME_MS: '2592000000' })).offerLifetimeMs, 30 * 86_400_000);
  t.is(problemsOf(t, () => loadConfig(least({ OFFER_LIFETIME_MS: '60000' }))).length, 1);
});
