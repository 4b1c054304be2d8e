// A bare gRPC server that answers one question, GetLedgerApiVersion: for what lies below any meaning, TLS and sizes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import {
  GetLedgerApiVersionResponse,
  UnimplementedVersionServiceService as VersionService,
} from '#proto/com/daml/ledger/api/v2/version_service.js';
import type { Certificate } from './certificates.js';

interface Teardown {
  teardown(fn: () => Promise<void> | void): void;
}

export interface Stub {
  readonly port: number;
  /** How often it was asked. */
  asked(): number;
  /** Resolves with the first call. */
  readonly arrival: Promise<void>;
}

export interface StubOptions {
  /** TLS with this; plaintext without. */
  readonly identity?: Certificate;
  /** Clients have to show a certificate of this authority, PEM. */
  readonly clientsOf?: string;
  /** What it says its version is; null: it never answers. */
  readonly version?: string | null;
}

export async function startStub(t: Teardown, options: StubOptions = {}): Promise<Stub> {
  const { identity, clientsOf, version = '3.4.8' } = options;
  const server = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 });
  let asked = 0;
  let arrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  server.addService(VersionService.definition, {
    GetLedgerApiVersion: (_: unknown, answer: (error: null, value: GetLedgerApiVersionResponse) => void) => {
      asked += 1;
      arrived();
      if (version !== null) answer(null, new GetLedgerApiVersionResponse({ version }));
    },
  });
  const credentials =
    identity === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          clientsOf === undefined ? null : Buffer.from(clientsOf),
          [{ private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.cert) }],
          clientsOf !== undefined,
        );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  t.teardown(() => server.forceShutdown());
  return { port, asked: () => asked, arrival };
}

/** Writes texts into files that go with the test; their paths, by the same names. */
export function files<Name extends string>(
  t: Teardown,
  contents: Readonly<Record<Name, string>>,
): Record<Name, string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'canton-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const written = Object.entries<string>(contents).map(([name, content]) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return [name, file];
  });
  return Object.fromEntries(written) as Record<Name, string>;
}
