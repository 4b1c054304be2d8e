// What is true right now: the verdict, the queue, the instances, the pins.
import { byId, h, prose, show, showFacts } from './dom.js';
import { clock, count, number, span } from './format.js';
import { ago } from './rows.js';

const VERDICTS = /** @type {Record<string, string>} */ ({
  fine: 'Fine: nothing needs a person.',
  watch: 'Moving, with something to keep an eye on.',
  person: 'A person is needed.',
  stopped: 'Not moving: nothing is claimed here.',
});

const STATES = /** @type {Record<string, string>} */ ({
  waiting: 'waiting',
  'in-flight': 'in flight',
  undecided: 'undecided',
  backoff: 'to be tried again',
  parked: 'parked',
});

/** @param {any} state */
export function showState(state) {
  const verdict = byId('verdict');
  verdict.className = `verdict ${state.level}`;
  const text = VERDICTS[state.level] ?? '';
  // Said aloud only when it changes.
  if (verdict.textContent !== text) verdict.textContent = text;
  document.title = `${state.level === 'fine' ? '' : '● '}${text.replace(/[:.,].*$/, '')} · canton-mempool-submitter`;
  showProblems(state);
  showQueue(state);
  showHere(state.here);
  showPins(state);
}

/** @param {any} state */
function showProblems({ problems, away }) {
  const list = byId('problems').querySelector('.problems');
  if (list === null) return;
  show(list, [problems, away], () => {
    const items = problems.map((/** @type {any} */ { level, what, toDo }) =>
      h(
        'li',
        { class: level },
        h('div', { class: 'what' }, ...prose(what)),
        h('div', { class: 'todo' }, ...prose(toDo)),
      ),
    );
    if (away !== null)
      items.push(
        h(
          'li',
          { class: 'stopped' },
          h('div', { class: 'what' }, `The database does not answer: ${away}`),
          h('div', { class: 'todo' }, 'What is shown of it is old.'),
        ),
      );
    return items.length > 0 ? items : [h('li', { class: 'muted' }, 'Nothing.')];
  });
}

/** @param {any} state */
function showQueue({ queue, queueAgeMs }) {
  const tiles = byId('queue');
  tiles.classList.toggle('stale', queue === null);
  if (queue === null) return;
  show(tiles, queue, () =>
    Object.entries(STATES).map(([state, name]) => {
      const { rows, oldestMs } = queue[state];
      return h(
        'div',
        null,
        h('dt', null, name),
        h('dd', { class: 'number' }, number(rows)),
        h('dd', { class: 'muted' }, oldestMs === null ? 'none' : `oldest ${span(oldestMs)}`),
      );
    }),
  );
  byId('counted').textContent =
    queueAgeMs > 3000
      ? `Counted ${span(queueAgeMs)} ago: the longer a count takes, the less often it is made.`
      : '';
}

/** @param {any} here */
function showHere(here) {
  const open = here.open.map(
    (/** @type {any} */ one) =>
      `${one.state} for ${one.key ?? 'everybody'} since ${span(one.forMs)}: ${one.reason}`,
  );
  const limit = here.limit ?? here.concurrency;
  showFacts(byId('here'), [
    ['Name', here.id],
    ['Claims', here.ready ? 'yes' : 'no'],
    ['Breaker', open.length === 0 ? 'closed' : open.join('; ')],
    ['Listener', here.listener],
    [
      'In flight at most',
      `${number(limit)}${limit < here.concurrency ? ` of ${number(here.concurrency)}: the participant is overloaded` : ''}`,
    ],
  ]);
  show(
    byId('lately'),
    here.happenings.map((/** @type {any} */ one) => [one.what, Math.floor(one.agoMs / 10_000)]),
    () =>
      here.happenings.length === 0
        ? [h('li', { class: 'muted' }, 'Nothing out of the ordinary.')]
        : here.happenings.map((/** @type {any} */ { what, agoMs }) =>
            h('li', null, `${what} `, h('span', { class: 'muted' }, `${span(agoMs)} ago`)),
          ),
  );
}

/** @param {any} state */
function showPins({ pins, failovers, now }) {
  if (pins !== null)
    showFacts(byId('pins'), [
      ['Participant', pins.participant ?? 'not yet'],
      ['Ledger user', pins.user ?? 'not yet'],
      ['Synchronizer', pins.synchronizer ?? 'not yet'],
      ['Lanes', pins.lanes],
      ['Same nonce', pins.sameNonce],
      ['Tolerance, skew', `${span(pins.toleranceMs)}, ${span(pins.clockSkewMaxMs)}`],
      ['Hashing scheme', pins.hashingScheme ?? 'none yet'],
      ['Ledger end seen', pins.ledgerEnd ?? 'none yet'],
      ['Database timeline', pins.timeline ?? 'may not be asked for'],
      ['Pinned', clock(pins.pinnedAt)],
    ]);
  if (now === null) return;
  show(byId('failovers'), failovers, () =>
    failovers.length === 0
      ? [h('li', { class: 'muted' }, 'None.')]
      : failovers.map((/** @type {any} */ { at, action, by, change }) =>
          h(
            'li',
            null,
            `${WORDS[action] ?? action}${change.rows === undefined ? '' : `, ${count(Number(change.rows), 'row')} looked up anew`}${change.reason === undefined ? '' : `: ${change.reason}`}, by ${by} `,
            ago(at, now),
          ),
        ),
  );
}

const WORDS = /** @type {Record<string, string>} */ ({
  recheck: 'Rechecked after a failover or restore',
  halt: 'Halted',
  repin: 'Another participant was pinned',
  remark: 'The marks were set anew',
});
