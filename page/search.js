// One row by its hash, with its story. The hash stands in the address, so that it can be sent to a colleague.
import { actButton } from './act.js';
import { byId, h, prose } from './dom.js';
import { clock } from './format.js';
import { authorization } from './live.js';
import { adviceOf, amountOf, replayButton } from './rows.js';

const HASH = /^0x[0-9a-f]{64}$/i;

export function startSearch() {
  const form = /** @type {HTMLFormElement} */ (byId('search'));
  const input = /** @type {HTMLInputElement} */ (byId('hash'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const hash = input.value.trim();
    if (location.hash === `#${hash}`) void showStory();
    else location.hash = hash;
  });
  addEventListener('hashchange', showStory);
  void showStory();
}

/** Again after the token was given. */
export async function showStory() {
  const hash = location.hash.slice(1);
  const place = byId('story');
  if (hash === '' || byIdOrNull(hash) !== null) {
    place.hidden = true;
    return;
  }
  const content = HASH.test(hash)
    ? await storyOf(hash)
    : [h('p', null, 'A transaction hash is 0x and 64 hexadecimal digits.')];
  place.replaceChildren(h('h2', { id: 'story-title' }, 'One row'), ...content, closeButton());
  place.hidden = false;
  place.focus();
  place.scrollIntoView({ block: 'nearest' });
}

/** A link within the page, as the first one. @param {string} id */
const byIdOrNull = (id) => document.getElementById(id);

function closeButton() {
  const button = h('button', { type: 'button' }, 'Close');
  button.addEventListener('click', () => {
    location.hash = '';
    byId('hash').focus();
  });
  return h('p', null, button);
}

/** @param {string} hash */
async function storyOf(hash) {
  try {
    const reply = await fetch(`/api/rows/${hash}`, { headers: authorization() });
    const found = await reply.json();
    if (found.kind === 'unknown')
      return [h('p', null, 'There is no row with the hash ', h('code', null, hash), '.')];
    if (found.kind === 'gone') return toldOf(found);
    if (found.kind === 'row') return rowOf(found);
    return [h('p', null, found.error ?? `the instance answers ${reply.status}`)];
  } catch (error) {
    return [
      h('p', null, `It could not be looked up: ${error instanceof Error ? error.message : String(error)}`),
    ];
  }
}

/** @param {any} found */
function rowOf({ row, story, next }) {
  const facts = [
    ['Hash', row.txHash],
    ['State', row.state],
    ['Sender', row.sender],
    ['Recipient', row.recipient],
    ['Token', row.token === row.tokenAddress ? row.token : `${row.token} (${row.tokenAddress})`],
    ['Nonce', row.nonce],
    ['Attempts', String(row.attempts)],
  ];
  return [
    h('p', { class: 'amount' }, `${amountOf(row)}, ${row.state}`),
    h(
      'dl',
      { class: 'facts' },
      ...facts.flatMap(([name = '', value = '']) => [
        h('dt', null, name),
        h('dd', value.includes('0x') ? { class: 'hash' } : null, value),
      ]),
    ),
    ...toldOf({ story, next }),
    // What comes next of a parked row says it already.
    ...(row.advice === null || row.state === 'parked'
      ? []
      : [h('p', null, h('strong', null, 'What to do: '), ...adviceOf(row.advice))]),
    h('p', { class: 'buttons' }, ...actsOf(row)),
  ];
}

/** @param {any} found */
const toldOf = ({ story, next }) => [
  h('h3', null, 'What happened'),
  h(
    'ol',
    { class: 'plain' },
    ...story.map((/** @type {any} */ { at, what }) =>
      h('li', null, h('span', { class: 'muted' }, `${clock(at)} `), what),
    ),
  ),
  h('h3', null, 'What comes next'),
  h('p', null, ...prose(next)),
];

/** @param {any} row */
function actsOf(row) {
  if (['completed', 'failed', 'mined'].includes(row.state)) return [];
  const pause = (/** @type {string} */ scope, /** @type {string} */ address) =>
    actButton(`Pause this ${scope}`, {
      question: `No row of the ${scope} \`${address}\` is claimed any more, until somebody resumes it. Rows in flight finish.`,
      path: '/api/pause',
      body: { what: { scope, address } },
    });
  return [...replayButton(row), ...pause('sender', row.sender), ...pause('token', row.tokenAddress)];
}
