// What a registry says about itself and its instruments: the token standard's metadata API, version 1.
import type { FastifyInstance } from 'fastify';
import type { Host } from '../host.js';

const SUPPORTED = { 'splice-api-token-metadata-v1': 1, 'splice-api-token-transfer-instruction-v1': 1 };
/** The decimals of its instruments, for display: the ledger knows ten. */
const DECIMALS = 6;

interface At {
  readonly Params: { readonly admin?: string; readonly id: string };
}

export function serveMetadata(server: FastifyInstance, host: Host, prefix: string): void {
  const { registrar } = host.identity;
  const isRegistrar = (admin: string | undefined) =>
    (admin ?? registrar) === registrar && served().length > 0;
  const served = () => {
    const { state } = host.participant;
    return [...state.contracts.activeAt(registrar, 'utilityRules', state.end)].flatMap(({ payload }) =>
      payload.kind === 'utilityRules' ? [payload.instrumentId.id] : [],
    );
  };
  const instrument = (id: string) => ({
    id,
    name: id,
    symbol: id,
    decimals: DECIMALS,
    supportedApis: SUPPORTED,
  });
  const unknown = { error: 'not found' };

  server.get<At>(`${prefix}/registry/metadata/v1/info`, ({ params }, reply) =>
    isRegistrar(params.admin)
      ? { adminId: registrar, supportedApis: SUPPORTED }
      : reply.code(404).send(unknown),
  );
  server.get<At>(`${prefix}/registry/metadata/v1/instruments`, ({ params }, reply) =>
    isRegistrar(params.admin) ? { instruments: served().map(instrument) } : reply.code(404).send(unknown),
  );
  server.get<At>(`${prefix}/registry/metadata/v1/instruments/:id`, ({ params }, reply) =>
    isRegistrar(params.admin) && served().includes(params.id)
      ? instrument(params.id)
      : reply.code(404).send(unknown),
  );
}
