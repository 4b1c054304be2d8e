// Puts the page together: what comes in by the stream is handed to what shows it.
import { showHistory } from './charts.js';
import { byId } from './dom.js';
import { listen, useToken } from './live.js';
import { showState } from './now.js';
import { showLists, tickAges } from './rows.js';
import { showStory, startSearch } from './search.js';

/** The database's time, and when it was heard here. */
let heard = { now: Date.now(), at: performance.now() };
/** @type {any} */
let lists = null;
/** Whether a token was given here. */
let tried = false;
const databaseNow = () => heard.now + (performance.now() - heard.at);

const again = listen({
  event(topic, value) {
    if (topic === 'state') {
      if (value.now !== null) heard = { now: value.now, at: performance.now() };
      showState(value);
      // Whether anything can be done about a row is part of the state.
      if (lists !== null) showLists(lists, databaseNow());
      tickAges(databaseNow());
    } else if (topic === 'lists') {
      lists = value;
      showLists(lists, databaseNow());
    } else if (topic === 'history') showHistory(value);
  },
  connection(state, why) {
    byId('token').hidden = state !== 'asks';
    if (state === 'asks' && tried) byId('refused').textContent = 'The instance refuses this token.';
    byId('connection').textContent =
      state === 'live'
        ? 'Live.'
        : state === 'asks'
          ? 'Waiting for the token.'
          : `Not connected, trying again: ${why}. What is shown is old.`;
    document.body.classList.toggle('stale', state === 'lost');
  },
});

byId('token').addEventListener('submit', (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (byId('secret'));
  useToken(input.value);
  input.value = '';
  tried = true;
  byId('refused').textContent = '';
  void again();
  void showStory();
});

startSearch();
