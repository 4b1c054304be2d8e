// What can be done from here, where the instance has a token: each with a question, a name and a reason, which the audit keeps.
import { byId, h, prose } from './dom.js';
import { authorization } from './live.js';

const NAME = 'who-acts';

/** Whether this instance lets anybody act. */
let may = false;
/** @param {boolean} mayAct */
export function allow(mayAct) {
  may = mayAct;
}

export const mayAct = () => may;

/**
 * A button that asks before it does anything; nothing at all where nobody may act.
 * @param {string} label
 * @param {{ question: string, path: string, body: Record<string, unknown> }} act
 * @returns {HTMLButtonElement[]}
 */
export function actButton(label, act) {
  if (!may) return [];
  const button = h('button', { type: 'button' }, `${label}…`);
  button.addEventListener('click', () => ask(label, act));
  return [button];
}

/** @param {string} label @param {{ question: string, path: string, body: Record<string, unknown> }} act */
function ask(label, { question, path, body }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('act'));
  const by = h('input', { id: 'act-by', required: '', maxlength: '80', autocomplete: 'name' });
  by.value = localStorage.getItem(NAME) ?? '';
  const reason = h('input', { id: 'act-reason', required: '', maxlength: '300' });
  const said = h('p', { role: 'alert' });
  const no = h('button', { type: 'button' }, 'No');
  const form = h(
    'form',
    null,
    h('h2', { id: 'act-title' }, label),
    h('p', null, ...prose(question)),
    h('label', { for: 'act-by' }, 'Who are you?'),
    by,
    h('label', { for: 'act-reason' }, 'Why? Both are kept in the audit.'),
    reason,
    said,
    h(
      'div',
      { class: 'buttons' },
      h('button', { type: 'submit', class: 'main' }, `Yes: ${label.toLowerCase()}`),
      no,
    ),
  );
  no.addEventListener('click', () => dialog.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    localStorage.setItem(NAME, by.value);
    said.textContent = 'Asking…';
    const { done, what } = await send(path, { ...body, by: by.value, reason: reason.value });
    if (!done) {
      said.textContent = what;
      return;
    }
    dialog.close();
    byId('done').textContent = what;
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

/** @param {string} path @param {Record<string, unknown>} body */
async function send(path, body) {
  try {
    const reply = await fetch(path, {
      method: 'POST',
      headers: { ...authorization(), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { what, error } = await reply.json();
    return { done: reply.ok, what: what ?? error ?? `the instance answers ${reply.status}` };
  } catch (error) {
    return { done: false, what: error instanceof Error ? error.message : String(error) };
  }
}
