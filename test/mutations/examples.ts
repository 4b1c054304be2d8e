// The examples: what people copy keeps outcomes as safely as the page about it says.
import { entries, type Mutation } from './mutation.js';

const example = entries('example', 'examples/')('test/examples/examples.test.ts');
const RECEIVER = 'webhooks.mjs: takes what is signed*';

export const examples: readonly Mutation[] = [
  example(
    'webhooks.mjs',
    'expected.some((one) => one.length === given.length && timingSafeEqual(one, given))',
    'expected.some((one) => one.length === given.length || timingSafeEqual(one, given))',
    RECEIVER,
    'the receiver takes nothing that is not signed with its secret',
  ),
  example('webhooks.mjs', '<= TOLERANCE_S)', '<= Infinity)', RECEIVER, 'the receiver takes nothing old'),
  example(
    'webhooks.mjs',
    '[id, transactionHash];',
    '[id];',
    RECEIVER,
    'an outcome found again under another id is kept once',
  ),
  example(
    'webhooks.mjs',
    "for (const line of whole.split('\\n').slice(0, -1)) remember(JSON.parse(line));",
    '',
    RECEIVER,
    'a receiver that is started again knows what it has',
  ),
  example(
    'webhooks.mjs',
    "text.slice(0, text.lastIndexOf('\\n') + 1)",
    'text',
    RECEIVER,
    'half a line is not an outcome',
  ),
  example(
    'outcomes.mjs',
    ' on conflict do nothing',
    '',
    'outcomes.mjs: books each*',
    'what comes again is booked once',
  ),
  example(
    'embed.mjs',
    "typeof inner === 'bigint' ? String(inner) : inner",
    'inner',
    'embed.mjs: submits*',
    'the queue can be shown as JSON',
  ),
];
