// Small ways to make elements. Texts only ever become text.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string> | null} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/** What stands between backticks is code. @param {string} text @returns {(Node | string)[]} */
export const prose = (text) =>
  text.split('`').map((part, index) => (index % 2 === 1 ? h('code', null, part) : part));

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();

/**
 * Replaces what is in an element only where it has changed, so that focus, selection and what is open stay.
 * @param {Element} element
 * @param {unknown} content decides whether it has changed
 * @param {() => (Node | string)[]} build
 */
export function show(element, content, build) {
  const key = JSON.stringify(content) ?? '';
  if (shown.get(element) === key) return;
  shown.set(element, key);
  element.replaceChildren(...build());
}

/** Pairs of a list of facts. @param {Element} list @param {readonly (readonly [string, string])[]} facts */
export function showFacts(list, facts) {
  show(list, facts, () =>
    facts.flatMap(([name, value]) => [h('dt', null, name), h('dd', null, ...prose(value))]),
  );
}
