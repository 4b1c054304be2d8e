import test, { type ExecutionContext } from 'ava';
import { noToken } from '../../src/ledger/auth.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { oauthTokens } from '../../src/ledger/oauth.js';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.js';
import { grant, handClock, jwt, type OauthServer, startOauth } from '../support/oauth.js';
import { bench, connected, heldIn, optionsFor, TIMEOUT, valueIn } from './setup.js';

const USER = 'mempool-submitter';
/** The nth token of the authority, all for one user. */
const token = (n: number): string => jwt({ sub: USER, n });
const numbered: OauthServer['reply'] = (_, count) => grant(token(count), 3_600);

/** A participant that takes one token, and a ledger that gets its tokens from an authority. */
async function setup(t: ExecutionContext, userId: string | null = null) {
  const oauth = await startOauth(t, numbered);
  const clock = handClock();
  const made = await bench(
    t,
    { token: token(1), userId: USER },
    { tokens: oauthTokens(oauth.client, { clock, random: () => 1 }), userId },
  );
  return { oauth, clock, ...made };
}

const takes = (sandbox: Sandbox, n: number) => sandbox.control({ kind: 'token', token: token(n) });
const reads = (sandbox: Sandbox, method: string): number => sandbox.audit.summary().reads[method] ?? 0;

test('a read that is refused for its token is made once more with a new one', async (t) => {
  const { sandbox, oauth, ledger } = await setup(t);
  t.is(valueIn(await ledger.userId(TIMEOUT)), USER);
  t.is(valueIn(await ledger.participantId(TIMEOUT)), sandbox.participantId);
  await takes(sandbox, 2);
  // Several at once share the new token too.
  const ends = await Promise.all(Array.from({ length: 8 }, () => ledger.ledgerEnd(TIMEOUT)));
  for (const end of ends) t.is(end.kind, 'read');
  t.is(oauth.requests.length, 2);
  t.is(reads(sandbox, 'StateService/GetLedgerEnd'), 16);
  t.is(reads(sandbox, 'PartyManagementService/GetParticipantId'), 1);
});

test('a read that is refused with the new token as well ends there', async (t) => {
  const { sandbox, oauth, ledger } = await setup(t);
  await takes(sandbox, 99);
  t.like(await ledger.ledgerEnd(TIMEOUT), {
    kind: 'failed-read',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'GRPC_UNAUTHENTICATED' },
  });
  t.is(reads(sandbox, 'StateService/GetLedgerEnd'), 2);
  t.is(oauth.requests.length, 2);
  // Nothing leaves until there is another: neither to the participant nor to the authority.
  t.like(await ledger.ledgerEnd(TIMEOUT), { refusal: { blame: 'all', errorId: 'TOKEN_UNAVAILABLE' } });
  t.is(reads(sandbox, 'StateService/GetLedgerEnd'), 2);
  t.is(oauth.requests.length, 2);
});

test('a stream that is refused for its token before its first message is opened once more', async (t) => {
  const { sandbox, oauth, ledger, alice } = await setup(t);
  const at = valueIn(await ledger.ledgerEnd(TIMEOUT));
  t.is(valueIn(await ledger.userId(TIMEOUT)), USER);
  await takes(sandbox, 2);
  t.is(heldIn(await ledger.holdings([alice], at, TIMEOUT)).holdings.length, 2);
  t.is(oauth.requests.length, 2);
  t.is(reads(sandbox, 'StateService/GetActiveContracts'), 2);
  await takes(sandbox, 99);
  const stream = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.like((await stream.next()).value, { kind: 'failed-read', refusal: { errorId: 'GRPC_UNAUTHENTICATED' } });
  t.is(reads(sandbox, 'CommandCompletionService/CompletionStream'), 1);
  t.is(oauth.requests.length, 2);
});

test('a stream under way that is refused ends, and is not begun anew behind its reader', async (t) => {
  const { sandbox, ledger, alice, transfer } = await setup(t);
  t.is(valueIn(await ledger.userId(TIMEOUT)), USER);
  t.like(await ledger.submit(await transfer(), TIMEOUT), { kind: 'accepted' });
  const stream = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.is((await stream.next()).done, false);
  await takes(sandbox, 2);
  for (;;) {
    const next = await stream.next();
    if (!next.done) continue;
    t.like(next.value, { kind: 'failed-read', refusal: { errorId: 'ACCESS_TOKEN_EXPIRED' } });
    break;
  }
  t.is(reads(sandbox, 'CommandCompletionService/CompletionStream'), 1);
  t.is(valueIn(await ledger.participantId(TIMEOUT)), sandbox.participantId);
});

test('a submission that is refused for its token is sent once, and the next one has a new token', async (t) => {
  const { sandbox, oauth, ledger, transfer } = await setup(t, USER);
  const sent = await transfer();
  await takes(sandbox, 2);
  // The authority thinks, until the submission that may not wait for it is over.
  let answer = (): void => {};
  const thinking = new Promise<void>((resolve) => {
    answer = resolve;
  });
  oauth.reply = (_, count) => thinking.then(() => grant(token(count), 3_600));
  t.like(await ledger.submit(sent, TIMEOUT), {
    kind: 'refused',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'GRPC_UNAUTHENTICATED' },
  });
  t.is(sandbox.audit.entries.length, 1);
  // It takes what is at hand, and waits for no authority: its lease was looked at just before.
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'not-sent' });
  t.is(sandbox.audit.entries.length, 1);
  answer();
  valueIn(await ledger.ledgerEnd(TIMEOUT));
  t.is(oauth.requests.length, 2);
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'accepted' });
  t.is(sandbox.audit.entries.length, 2);
});

test('no call leaves without its token, and its failure says why', async (t) => {
  const oauth = await startOauth(t, () => ({ status: 403, body: '{"error":"access_denied"}' }));
  const { sandbox, ledger, alice } = await bench(
    t,
    { token: token(1), userId: USER },
    { tokens: oauthTokens(oauth.client), userId: USER },
  );
  const unavailable = {
    kind: 'failed-read',
    refusal: {
      kind: 'not-the-row',
      blame: 'all',
      errorId: 'TOKEN_UNAVAILABLE',
      detail:
        'CANTON_OAUTH_TOKEN_URL: it answers 403: access_denied: check CANTON_OAUTH_CLIENT_ID, its secret, its audience and CANTON_OAUTH_SCOPE; for any other flow, let something else renew a token in CANTON_TOKEN_FILE',
    },
  };
  t.like(await ledger.version(TIMEOUT), unavailable);
  t.like(await ledger.ledgerEnd(TIMEOUT), unavailable);
  const stream = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.like((await stream.next()).value, unavailable);
  t.deepEqual(sandbox.audit.summary().reads, {});
  t.is(oauth.requests.length, 1);
});

test("the user is the token's subject, and goes into every command; before it is known nothing is sent", async (t) => {
  const { sandbox, ledger, alice, transfer } = await setup(t);
  const sent = await transfer();
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'not-sent' });
  const early = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.like((await early.next()).value, {
    kind: 'failed-read',
    refusal: { kind: 'not-the-row', blame: 'all', errorId: 'USER_UNKNOWN' },
  });
  t.is(sandbox.audit.entries.length, 0);
  t.is(reads(sandbox, 'CommandCompletionService/CompletionStream'), 0);

  t.is(valueIn(await ledger.userId(TIMEOUT)), USER);
  t.like(await ledger.submit(sent, TIMEOUT), { kind: 'accepted' });
  t.is(sandbox.audit.entries[0]?.userId, USER);
  const stream = ledger.completions({ parties: [alice], beginExclusive: 0n }, new AbortController().signal);
  t.like((await stream.next()).value, { kind: 'accepted', commandId: sent.commandId });
  await stream.return(null);
});

test('one user for the life of a process: a token of somebody else is told apart, and a configured one asks no token', async (t) => {
  const { oauth, clock, ledger, transfer, sandbox } = await setup(t);
  t.is(valueIn(await ledger.userId(TIMEOUT)), USER);
  oauth.reply = () => grant(jwt({ sub: 'somebody-else' }), 3_600);
  clock.advance(3_600_000);
  t.like(await ledger.userId(TIMEOUT), {
    kind: 'failed-read',
    refusal: {
      blame: 'all',
      errorId: 'USER_UNKNOWN',
      detail: `the token is now for somebody-else, but this process started as ${USER}: restart it`,
    },
  });
  await sandbox.control({ kind: 'token', token: jwt({ sub: 'somebody-else' }) });
  await ledger.submit(await transfer(), TIMEOUT);
  t.is(sandbox.audit.entries[0]?.userId, USER);

  oauth.reply = () => grant('opaque');
  clock.advance(3_600_000);
  t.like(await ledger.userId(TIMEOUT), {
    refusal: { errorId: 'USER_UNKNOWN', detail: 'the token has no subject: set CANTON_USER_ID' },
  });

  const named = createLedger({ ...optionsFor(sandbox), userId: 'named', tokens: oauthTokens(oauth.client) });
  t.teardown(() => named.close());
  const before = oauth.requests.length;
  t.is(valueIn(await named.userId(TIMEOUT)), 'named');
  t.is(oauth.requests.length, before);
});

test('a participant that wants no token: the user has to be named', async (t) => {
  const sandbox = await startSandbox({ timeScale: 0.02 });
  const ledger = createLedger({ ...optionsFor(sandbox), userId: null, tokens: noToken });
  t.teardown(async () => {
    ledger.close();
    await sandbox.close();
  });
  await connected(ledger);
  t.like(await ledger.userId(TIMEOUT), { refusal: { errorId: 'USER_UNKNOWN' } });
});
