// A throw-away Postgres for development: prints its URL and lives until Ctrl-C. `npx tsx scripts/dev-postgres.ts`
import { startPostgres } from '../src/cli/support/throwaway-postgres.js';

const postgres = await startPostgres();
console.log(`DATABASE_URL=${postgres.url}`);
const forever = setInterval(() => {}, 2 ** 30);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    clearInterval(forever);
    await postgres.stop();
  });
}
