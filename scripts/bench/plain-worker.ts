// The plainest code that does the job once, as the measure for ours: LISTEN, one claim statement, the ledger reads
// (end, holdings; the factory is known), the call. No lease, no record, no lanes, no look.
import { credentials, Metadata } from '@grpc/grpc-js';
import pg from 'pg';
import { CommandServiceClient, SubmitAndWaitRequest } from '#proto/com/daml/ledger/api/v2/command_service.js';
import {
  GetActiveContractsRequest,
  type GetActiveContractsResponse,
  GetLedgerEndRequest,
  StateServiceClient,
} from '#proto/com/daml/ledger/api/v2/state_service.js';
import {
  CumulativeFilter,
  EventFormat,
  Filters,
  InterfaceFilter,
} from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import { party as partyId, type TxHash } from '../../src/core/ids.js';
import { commandsOf } from '../../src/ledger/hosted.js';
import { defaultPackages } from '../../src/ledger/settings.js';
import { identifier } from '../../src/ledger/values.js';

const {
  DATABASE_URL = '',
  CANTON_URL = '',
  CANTON_USER_ID = '',
  CANTON_SYNCHRONIZER_ID = '',
  CANTON_ISSUER_PARTY = '',
  FACTORY = '',
  CALL_OPTIONS = '{}',
} = process.env;
const options = JSON.parse(CALL_OPTIONS) as Record<string, number>;
const settings = {
  userId: CANTON_USER_ID,
  synchronizerId: CANTON_SYNCHRONIZER_ID,
  issuerParty: partyId(CANTON_ISSUER_PARTY),
  packages: defaultPackages,
};
const commands = new CommandServiceClient(CANTON_URL, credentials.createInsecure(), options);
const state = new StateServiceClient(CANTON_URL, credentials.createInsecure(), options);
const listener = new pg.Client({ connectionString: DATABASE_URL });
const db = new pg.Client({ connectionString: DATABASE_URL });
await Promise.all([listener.connect(), db.connect()]);

interface Plain {
  readonly id: string;
  readonly tx_hash: Buffer;
  readonly sender: string;
  readonly receiver: string;
}

const CLAIM = `update plain set status = 'claimed' where id in
  (select id from plain where status = 'pending' order by id limit 1 for update skip locked) returning id, tx_hash, sender, receiver`;

let again = false;
let running = false;
async function drain(): Promise<void> {
  again = true;
  if (running) return;
  running = true;
  while (again) {
    again = false;
    const { rows } = await db.query<Plain>({ name: 'claim', text: CLAIM });
    for (const row of rows) void transfer(row);
  }
  running = false;
}

async function transfer(row: Plain): Promise<void> {
  const end = await new Promise<string>((resolve, reject) =>
    state.GetLedgerEnd(new GetLedgerEndRequest(), new Metadata(), (error, answer) =>
      error ? reject(error) : resolve(answer?.offset ?? '0'),
    ),
  );
  const filter = new CumulativeFilter({
    interfaceFilter: new InterfaceFilter({
      interfaceId: identifier(defaultPackages.holding, 'Splice.Api.Token.HoldingV1', 'Holding'),
    }),
  });
  const request = new GetActiveContractsRequest({
    activeAtOffset: end,
    eventFormat: new EventFormat({
      filtersByParty: new Map([[row.sender, new Filters({ cumulative: [filter] })]]),
      verbose: true,
    }),
  });
  const holdings: string[] = [];
  for await (const answer of state.GetActiveContracts(request)) {
    const { activeContract } = answer as GetActiveContractsResponse;
    if (activeContract?.createdEvent) holdings.push(activeContract.createdEvent.contractId);
  }
  const now = BigInt(Date.now()) * 1000n;
  const body = commandsOf(
    {
      commandId: `0x${row.tx_hash.toString('hex')}` as TxHash,
      submissionId: row.id,
      factory: { kind: 'own', contractId: FACTORY },
      sender: partyId(row.sender),
      receiver: partyId(row.receiver),
      admin: CANTON_ISSUER_PARTY,
      instrumentId: 'DEMO',
      amount: 10_000_000n,
      holdings,
      requestedAt: now - 5_000_000n,
      executeBefore: now + 30_000_000n,
    },
    settings,
  );
  await new Promise<void>((resolve, reject) =>
    commands.SubmitAndWait(new SubmitAndWaitRequest({ commands: body }), new Metadata(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  await db.query({
    name: 'done',
    text: "update plain set status = 'completed' where id = $1",
    values: [row.id],
  });
}

listener.on('notification', () => void drain());
await listener.query('listen plain_bell');
await drain();
console.log('ready');
process.stdin.on('end', () => process.exit(0)).resume();
