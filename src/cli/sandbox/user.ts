// `canton-submitter sandbox user`: what registering with the API does, in a sandbox: an Ethereum key, a party with
// holdings, and the row in `users` that joins them.
import { Command, InvalidArgumentError } from 'commander';
import { loadSandboxUserSettings, type SandboxUserSettings } from '../../config.js';
import { parseDecimal } from '../../core/decimal.js';
import { ConfigError } from '../../core/errors.js';
import { addUsers } from '../../store/operator/users.js';
import { sealKey } from '../../transfer/key.js';
import { withDatabase } from '../support/database.js';
import { loadViem } from '../support/raw-transaction.js';
import { type SandboxParty, sandboxAt } from '../support/sandbox-at.js';
import { exportLines } from '../support/shell.js';

const DEFAULT_URL = 'http://127.0.0.1:6866';

interface Flags {
  readonly external?: boolean;
  readonly amount: string;
  readonly url?: string;
  readonly json?: true;
}

interface Made {
  readonly name: string;
  readonly address: string;
  readonly privateKey: string;
  readonly party: string;
}

async function run(names: readonly string[], { external = false, amount, url, json }: Flags): Promise<void> {
  const settings = loadSandboxUserSettings(process.env);
  if (external && settings.masterKey === null)
    throw new ConfigError(['CANTON_MASTER_KEY is not set: an external party needs it to encrypt its key']);
  await loadViem();
  const { generatePrivateKey, privateKeyToAccount } = await import('viem/accounts');
  const sandbox = sandboxAt(url ?? (process.env.SANDBOX_URL || DEFAULT_URL));
  const tokens = amount === '0' ? [] : [...settings.tokens.values()].map(({ symbol }) => symbol);

  const made = await withDatabase(settings, async (database): Promise<Made[]> => {
    const parties = await sandbox.createParties(
      names.map((hint) => ({ hint, external })),
      tokens,
      amount,
    );
    const users = parties.map((party, place) => {
      const privateKey = generatePrivateKey();
      const { address } = privateKeyToAccount(privateKey);
      return {
        made: { name: names[place] ?? '', address, privateKey, party: party.party },
        row: { address, party: party.party, sealedKey: sealed(party, settings) },
      };
    });
    await addUsers(
      database,
      users.map(({ row }) => row),
    );
    return users.map(({ made }) => made);
  });

  for (const user of made) {
    if (json) process.stdout.write(`${JSON.stringify(user)}\n`);
    else process.stdout.write(exportLines(variablesOf(user)));
    const has = tokens.length === 0 ? 'no holdings' : `${amount} each of ${tokens.join(', ')}`;
    process.stderr.write(`${user.name}: ${external ? 'external' : 'hosted'}, ${has}\n`);
  }
}

function sealed({ privateKey }: SandboxParty, { masterKey }: SandboxUserSettings): string | null {
  return privateKey === null || masterKey === null
    ? null
    : sealKey(Buffer.from(privateKey, 'hex'), masterKey);
}

/** `alice` → `ALICE_ADDRESS`, `ALICE_KEY`, `ALICE_PARTY`. */
function variablesOf({ name, address, privateKey, party }: Made): Record<string, string> {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  return {
    [`${prefix}_ADDRESS`]: address,
    [`${prefix}_KEY`]: privateKey,
    [`${prefix}_PARTY`]: party,
  };
}

function name(text: string, before: readonly string[] = []): string[] {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,40}$/.test(text))
    throw new InvalidArgumentError('a name has letters, digits, _ and -, and begins with a letter');
  return [...before, text];
}

function decimal(text: string): string {
  const units = parseDecimal(text);
  if (units === null || units < 0n)
    throw new InvalidArgumentError('an amount is a number of whole tokens, for example 100 or 0.5');
  return units === 0n ? '0' : text;
}

export function sandboxUserCommand(): Command {
  return new Command('user')
    .summary('register users: a key, a party with holdings, a row in `users`')
    .description(
      'register users in a running sandbox and its database: each gets an Ethereum key, a party with holdings, and a row in `users`',
    )
    .argument('<names...>', 'what to call them: the hint of the party, and the prefix of the variables', name)
    .option('--external', 'a party that signs for itself; otherwise the participant acts for it')
    .option(
      '--amount <n>',
      'how much of each token in TOKENS_FILE, in whole tokens; 0 for none',
      decimal,
      '100',
    )
    .option('--url <url>', `the sandbox's HTTP side (default: SANDBOX_URL, else ${DEFAULT_URL})`)
    .option('--json', 'print one line of JSON for each')
    .addHelpText(
      'after',
      `
Prints lines that a shell can source: for \`alice\`, ALICE_ADDRESS, ALICE_KEY (the private key, for \`sign\`) and ALICE_PARTY.
Environment: DATABASE_URL and TOKENS_FILE; with --external, CANTON_MASTER_KEY too. \`sandbox --env\` prints them. Needs viem
(npm install viem).

Examples:
  canton-submitter sandbox user alice bob
  canton-submitter sandbox user carol --external --amount 12.5
  canton-submitter sandbox user dave >> sandbox.env && source sandbox.env`,
    )
    .action(run);
}
