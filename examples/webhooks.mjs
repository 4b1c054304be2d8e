// Receives the signed webhooks, and keeps each outcome once, a sender's in their order, in a file. Needs no package.
// One process has the file; for several, a table with unique keys on id and transaction hash does what the file does here.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';

const { WEBHOOK_SECRET = '', OUTCOMES_FILE = 'outcomes.ndjson', PORT = '8081' } = process.env;
const LARGEST = 64 * 1024;
/** How far the sender's clock and ours may be apart. An older message may be somebody's copy of one. */
const TOLERANCE_S = 300;

/** While the secret is being changed there are two, and either will do. */
const keys = WEBHOOK_SECRET.split(/[\s,]+/)
  .filter((secret) => secret.startsWith('whsec_'))
  .map((secret) => Buffer.from(secret.slice('whsec_'.length), 'base64'));
if (keys.length === 0) {
  console.error('WEBHOOK_SECRET must be the whsec_… that the submitters sign with');
  process.exit(2);
}

const journal = await openJournal(OUTCOMES_FILE);

const server = createServer(async (request, response) => {
  try {
    response.writeHead(await answerTo(request)).end();
  } catch (error) {
    // Not kept, so not 2xx: it comes again.
    console.error(error);
    response.writeHead(500).end();
  }
});

/** The status: 2xx only once the outcome is safely kept, since it is not sent again after that. */
async function answerTo(request) {
  const body = await bodyOf(request);
  if (body === null) return 413;
  const {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures,
  } = request.headers;
  if (!isSigned(`${id}.${timestamp}.${body}`, String(signatures))) return 401;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S)) return 401;
  const { type, data } = JSON.parse(body);
  if (await journal.keep({ id, type, ...data })) console.log(`${data.transactionHash} ${type}`);
  return 204;
}

function isSigned(content, signatures) {
  const expected = keys.map((key) => createHmac('sha256', key).update(content).digest());
  return signatures.split(' ').some((signature) => {
    const [version, encoded = ''] = signature.split(',');
    const given = Buffer.from(encoded, 'base64');
    return (
      version === 'v1' && expected.some((one) => one.length === given.length && timingSafeEqual(one, given))
    );
  });
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function openJournal(path) {
  const file = await open(path, 'a+');
  const text = await file.readFile('utf8');
  // The last line is cut short if we were killed as it was written; it was not answered with 2xx, and comes again.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  let size = Buffer.byteLength(whole);
  await file.truncate(size);
  const known = new Set();
  const remember = (outcome) => {
    for (const key of keysOf(outcome)) known.add(key);
  };
  for (const line of whole.split('\n').slice(0, -1)) remember(JSON.parse(line));

  async function append(outcome) {
    if (keysOf(outcome).some((key) => known.has(key))) return false;
    const line = `${JSON.stringify(outcome)}\n`;
    try {
      await file.appendFile(line);
      await file.datasync();
    } catch (error) {
      await file.truncate(size);
      throw error;
    }
    size += Buffer.byteLength(line);
    remember(outcome);
    return true;
  }

  // One after the other: the same message may come a second time while the first is still being written.
  let last = Promise.resolve();
  return {
    /** False: we have it already. */
    keep(outcome) {
      const kept = last.then(() => append(outcome));
      last = kept.catch(() => {});
      return kept;
    },
  };
}

/** A repetition has the id again; after a failover of the database, an outcome may come under another one. */
function keysOf({ id, type, transactionHash }) {
  return type === 'transfer.parked' ? [id] : [id, transactionHash];
}

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});
process.once('SIGTERM', () => server.close());
