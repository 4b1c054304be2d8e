// A service of your own with a submitter inside. Any number of such processes may share a database.
import { createServer } from 'node:http';
import { ConfigError, createSubmitter, loadConfig } from 'canton-mempool-submitter';

/** Wrong settings are yours to report: all of them are listed, each with what to do. */
function configuration() {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(problem);
    process.exit(2);
  }
}

const submitter = createSubmitter(configuration());

/** The second: it was written, and only the database's acknowledgement was lost. */
const WRITTEN = new Set(['settled', 'settled-before']);

// Nothing is logged unless you do it: everything that happens is an event.
submitter.events$.subscribe((event) => {
  if (event.kind === 'settled' && WRITTEN.has(event.result) && event.verdict.kind !== 'pending')
    console.log(`${event.txHash} ${event.verdict.kind}`);
  if (event.kind === 'parked') console.error(`${event.txHash} waits for a person: ${event.reason}`);
  if (event.kind === 'alarm') console.error(`somebody must look: ${event.what}`);
});

// Your load balancer or orchestrator wants to know whether it claims, and a person why not.
const server = createServer(async (request, response) => {
  try {
    if (request.url === '/queue') return void response.end(asJson(await submitter.snapshot()));
    const { ready, blockers } = submitter.health();
    response.writeHead(ready ? 200 : 503).end(asJson(blockers));
  } catch (error) {
    // The queue is in the database, which may be away; the submitter waits for it.
    response.writeHead(503).end(String(error));
  }
});

/** Some numbers are larger than JSON's. */
function asJson(value) {
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner));
}

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`listening on ${server.address().port}`);
});

process.once('SIGTERM', async () => {
  // Claims nothing more, and lets go of what is in flight within STOP_GRACE_MS.
  await submitter.stop();
  server.close();
});
await submitter.start();
