// Rows that need a person, and rows that have failed: by reason, so that what is to be done is said once.
import { actButton, mayAct } from './act.js';
import { byId, h, prose, show } from './dom.js';
import { amount, clock, count, short, span } from './format.js';

/** Rows shown for each reason; the others are a click away. */
const AT_ONCE = 4;

/** @param {any} lists @param {number} now */
export function showLists(lists, now) {
  showList(byId('parked'), lists.parked, now, 'No row is parked.');
  showList(byId('failed'), lists.failed, now, 'No row has failed.');
}

/** @param {Element} place @param {any[]} rows @param {number} now @param {string} none */
function showList(place, rows, now, none) {
  show(place, [rows, mayAct()], () => {
    if (rows.length === 0) return [h('p', { class: 'muted' }, none)];
    /** @type {Map<string, any[]>} */
    const groups = new Map();
    for (const row of rows) {
      // Rows of one code may need different things.
      const key = `${codeOf(row.reason)} ${row.advice?.toDo}`;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    return [...groups.values()].map((members) => groupOf(codeOf(members[0]?.reason ?? ''), members, now));
  });
}

/** @param {string} reason */
const codeOf = (reason) => /^[A-Z][A-Z0-9_]*/.exec(reason)?.[0] ?? 'Without a code';

/** @param {string} code @param {any[]} rows @param {number} now */
function groupOf(code, rows, now) {
  const advice = rows[0]?.advice;
  return h(
    'div',
    { class: 'group' },
    h('h3', null, h('code', null, code), ` · ${count(rows.length, 'row')}`),
    ...(advice === null ? [] : [h('p', null, h('strong', null, 'What to do: '), ...adviceOf(advice))]),
    listOf(rows.slice(0, AT_ONCE), now),
    ...(rows.length <= AT_ONCE
      ? []
      : [
          h(
            'details',
            null,
            h('summary', null, `${count(rows.length - AT_ONCE, 'more row')}`),
            listOf(rows.slice(AT_ONCE), now),
          ),
        ]),
  );
}

/** @param {any[]} rows @param {number} now */
const listOf = (rows, now) =>
  h('ul', { class: 'rows' }, ...rows.map((row) => h('li', null, ...rowOf(row, now))));

/** @param {{ toDo: string, runbook?: { title: string, anchor: string }, commands: string | null }} advice */
export const adviceOf = ({ toDo, runbook, commands }) => [
  ...prose(toDo),
  ...(runbook === undefined ? [] : [' See ', h('code', null, `docs/runbooks.md#${runbook.anchor}`), '.']),
  ...(commands === null ? [] : prose(` Then: ${commands}.`)),
];

/** @param {any} row @param {number} now */
function rowOf(row, now) {
  return [
    h(
      'div',
      null,
      h('span', { class: 'amount' }, amountOf(row)),
      ' from ',
      h('span', { class: 'hash', title: row.sender }, short(row.sender)),
      ' to ',
      h('span', { class: 'hash', title: row.recipient }, short(row.recipient)),
      ' ',
      h('span', { class: 'muted' }, `nonce ${row.nonce}, ${count(row.attempts, 'attempt')}, `),
      ago(row.updatedAt, now),
    ),
    h(
      'div',
      { class: 'reason' },
      row.reason,
      row.undecided ? ' (undecided: a submission of it may still commit)' : '',
    ),
    h('div', null, h('a', { href: `#${row.txHash}`, class: 'hash' }, row.txHash)),
    ...(row.mayReplay ? [h('div', null, ...replayButton(row))] : []),
  ];
}

/** @param {any} row */
export const replayButton = (row) =>
  row.mayReplay
    ? actButton('Replay', {
        question: `\`${row.txHash}\` is due at once, with all its attempts again. This never pays twice: what may have been sent for it is looked up first.`,
        path: '/api/replay',
        body: { hash: row.txHash },
      })
    : [];

/** Nobody knows the decimals of a token that is not in TOKENS_FILE. @param {any} row */
export const amountOf = ({ amount: text, token, tokenAddress }) =>
  token === tokenAddress
    ? `${amount(text)} of the smallest unit of ${short(token)}`
    : `${amount(text)} ${token}`;

/** Kept up to date by `tickAges`. @param {number} at @param {number} now */
export const ago = (at, now) =>
  h('time', { datetime: new Date(at).toISOString(), title: clock(at), class: 'muted' }, agoText(now - at));

/** @param {number} ms */
const agoText = (ms) => (ms < 1_000 ? 'just now' : `${span(ms)} ago`);

/** @param {number} now */
export function tickAges(now) {
  for (const element of document.querySelectorAll('time')) {
    const text = agoText(now - Date.parse(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
}
