// What is true right now: the verdict, the queue, the instances, the pins.
import { actButton, allow } from './act.js';
import { byId, h, prose, show, showFacts } from './dom.js';
import { clock, count, number, short, span } from './format.js';
import { ago } from './rows.js';

const VERDICTS = /** @type {Record<string, string>} */ ({
  fine: 'Fine: nothing needs a person.',
  watch: 'Moving, with something to keep an eye on.',
  person: 'A person is needed.',
  stopped: 'Not moving.',
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
  allow(state.mayAct);
  showProblems(state);
  showControls(state);
  showQueue(state);
  showFleet(state);
  showHere(state.here);
  showPins(state);
}

/** @param {any} state */
function showProblems({ problems }) {
  const list = byId('problems').querySelector('.problems');
  if (list === null) return;
  show(list, problems, () => {
    if (problems.length === 0) return [h('li', { class: 'muted' }, 'Nothing.')];
    return problems.map((/** @type {any} */ { level, what, toDo }) =>
      h(
        'li',
        { class: level },
        h('div', { class: 'what' }, ...prose(what)),
        h('div', { class: 'todo' }, ...prose(toDo)),
      ),
    );
  });
}

/** @param {any} state */
function showControls({ pauses, mayAct }) {
  show(byId('controls'), [pauses, mayAct], () => {
    const all = { scope: 'all' };
    const buttons = pauses.flatMap((/** @type {any} */ { scope, address }) =>
      actButton(scope === 'all' ? 'Resume everything' : `Resume ${scope} ${short(address)}`, {
        question:
          scope === 'all'
            ? 'All rows are claimed again, from now on.'
            : `Rows of the ${scope} \`${address}\` are claimed again, from now on.`,
        path: '/api/resume',
        body: { what: scope === 'all' ? all : { scope, address } },
      }),
    );
    if (!pauses.some((/** @type {any} */ { scope }) => scope === 'all'))
      buttons.push(
        ...actButton('Pause everything', {
          question:
            'No instance claims anything any more, until somebody resumes it. Rows in flight finish, and undecided rows are looked up as always.',
          path: '/api/pause',
          body: { what: all },
        }),
      );
    return buttons;
  });
}

/** @param {any} state */
function showQueue({ queue, queueAgeMs, claimable, paused, dueAgeMs }) {
  const tiles = byId('queue');
  tiles.classList.toggle('stale', queue === null);
  if (queue === null) return;
  const when = dueAgeMs === null ? 'now' : `${span(dueAgeMs)} ago`;
  show(tiles, [queue, claimable, paused, when], () =>
    Object.entries(STATES).map(([state, name]) => {
      const { rows, oldestMs } = queue[state];
      return h(
        'div',
        null,
        h('dt', null, name),
        h('dd', { class: 'number' }, number(rows)),
        ...(oldestMs === null ? [] : [h('dd', { class: 'muted' }, `oldest ${span(oldestMs)}`)]),
        ...(state === 'waiting' && rows > 0
          ? [
              h(
                'dd',
                { class: 'muted' },
                `${number(claimable)} could be claimed ${when}${paused > 0 ? `, ${number(paused)} paused` : ''}`,
              ),
            ]
          : []),
      );
    }),
  );
  byId('counted').textContent =
    queueAgeMs === null
      ? ''
      : `Counted ${span(queueAgeMs)} ago: the longer a count takes, the less often it is made.`;
}

const LIVES = /** @type {Record<string, string>} */ ({
  ready: 'ready',
  'not-ready': 'not ready',
  silent: 'silent: its heartbeats are late',
  dead: 'dead',
  stopped: 'stopped',
  unregistered: 'of an earlier build',
});

/** @param {any} state */
function showFleet({ instances, now }) {
  if (now === null) return;
  show(byId('fleet'), instances, () =>
    instances.map((/** @type {any} */ one) => h('tr', null, ...instanceOf(one, now))),
  );
}

/** @param {any} one @param {number} now */
function instanceOf(one, now) {
  const bad = one.life === 'dead' || one.life === 'silent' || one.life === 'not-ready';
  const looks = one.looks > 0 ? ` and ${count(one.looks, 'look')}` : '';
  const gone = one.life === 'dead' || one.life === 'stopped';
  const inFlight =
    gone || one.life === 'unregistered' ? `holds ${number(one.held)}` : `${number(one.submissions)}${looks}`;
  return [
    h('th', { scope: 'row' }, one.name, one.here ? h('span', { class: 'muted' }, ' (this one)') : ''),
    h(
      'td',
      null,
      h('span', bad ? { class: 'bad' } : null, LIVES[one.life] ?? one.life),
      one.lost > 0 ? `; ${count(one.lost, 'row')} taken over from it` : '',
      ...(one.why.length > 0 ? [h('div', { class: 'muted' }, one.why.join('; '))] : []),
    ),
    h('td', null, inFlight),
    h('td', null, number(one.endedLastMinute)),
    h('td', null, one.version ?? 'not known'),
    h('td', null, one.startedAt === null ? '' : ago(one.startedAt, now)),
    h('td', null, one.seenAt === null ? '' : ago(one.seenAt, now)),
  ];
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
      ['Database timeline', pins.timeline ?? 'not readable by this role'],
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
  remark: 'The marks were forgotten',
});
