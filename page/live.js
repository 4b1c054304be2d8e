// The stream of events. By fetch, since an EventSource cannot send a token.

const KEY = 'admin-token';
const AGAIN_MS = 2000;
const LONGEST_MS = 15_000;

/** @param {string} token */
export const useToken = (token) => sessionStorage.setItem(KEY, token);

/** The browser never sends the token by itself, so no other site can make it do so. @returns {Record<string, string>} */
export function authorization() {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/**
 * @typedef {object} Listener
 * @property {(topic: string, value: any) => void} event
 * @property {(state: 'live' | 'lost' | 'asks', why: string) => void} connection `asks`: for the token
 */

/** Stays connected while somebody looks. @param {Listener} listener */
export function listen(listener) {
  /** @type {AbortController | null} */
  let current = null;
  let waitMs = AGAIN_MS;
  let timer = 0;

  const connect = async () => {
    clearTimeout(timer);
    current?.abort();
    const mine = new AbortController();
    current = mine;
    let why = 'the instance has closed the connection';
    try {
      const reply = await fetch('/api/live', { headers: authorization(), signal: mine.signal });
      if (reply.status === 401) return listener.connection('asks', '');
      if (!reply.ok || reply.body === null) throw new Error(`the instance answers ${reply.status}`);
      waitMs = AGAIN_MS;
      listener.connection('live', '');
      for await (const [topic, data] of events(reply.body)) listener.event(topic, JSON.parse(data));
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    if (mine.signal.aborted) return;
    listener.connection('lost', why);
    timer = setTimeout(connect, waitMs);
    waitMs = Math.min(waitMs * 2, LONGEST_MS);
  };

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return void connect();
    // Nobody looks: the instance need not ask its database.
    clearTimeout(timer);
    current?.abort();
  });
  void connect();
  return connect;
}

/** @param {ReadableStream<Uint8Array>} body @returns {AsyncGenerator<[string, string]>} */
async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const topic = /^event: (.*)$/m.exec(part)?.[1];
      const data = /^data: (.*)$/m.exec(part)?.[1];
      if (topic !== undefined && data !== undefined) yield [topic, data];
    }
  }
}
