import test from 'ava';
import { signed, webhookSecrets } from '../../src/outbox/signature.js';

const secretsOf = (text: string): readonly Buffer[] => {
  const secrets = webhookSecrets(text);
  if (typeof secrets === 'string') throw new Error(secrets);
  return secrets;
};

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

test('signs as the libraries of Standard Webhooks verify: their own example', (t) => {
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    seconds: 1_614_265_330,
    body: '{"test": 2432232314}',
  };
  t.deepEqual(signed(secretsOf(SECRET), message), {
    'webhook-id': message.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('while a secret is changed, both sign, in the order in which they were given', (t) => {
  const message = { id: 'one', seconds: 1, body: '{}' };
  const other = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  const of = (text: string): string => signed(secretsOf(text), message)['webhook-signature'];
  t.is(of(`${other},${SECRET}`), `${of(other)} ${of(SECRET)}`);
  t.is(of(`${other}\n${SECRET}\n`), of(`${other}, ${SECRET}`));
});

test('an invalid secret is refused, without showing it', (t) => {
  const short = `whsec_${Buffer.alloc(23).toString('base64')}`;
  const long = `whsec_${Buffer.alloc(65).toString('base64')}`;
  for (const text of ['', ' , ', SECRET.slice(6), short, long, `${SECRET}!`, SECRET.slice(0, -3)]) {
    const wrong = webhookSecrets(text);
    if (typeof wrong !== 'string') return t.fail(`took ${text}`);
    t.regex(wrong, /openssl rand/);
    t.notRegex(wrong, /MfKQ/);
  }
  t.regex(String(webhookSecrets(`${SECRET},${short}`)), /^\(number 2\) must be whsec_/);
});
