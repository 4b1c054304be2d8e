// A sample of the instruments that parties hold, from the interface's view, whatever the template: enough to tell a
// mistyped instrument from a new one, and never more than a start can wait for.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import { UnimplementedStateServiceService } from '#proto/com/daml/ledger/api/v2/state_service.js';
import { isEntity } from '../core/entity.js';
import type { Offset } from '../core/ids.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { readFailure, serverStream, type Wire } from './call.js';
import { activeContractsRequest, HOLDING_INTERFACE, HOLDING_MODULE, holdingFilter } from './contracts.js';
import type { LedgerSettings } from './settings.js';
import { instrumentOf, recordFields } from './values.js';

const { GetActiveContracts } = UnimplementedStateServiceService.definition;

export interface HoldingSample {
  readonly contractId: string;
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly locked: boolean;
}

export interface HoldingSamples {
  /** One per instrument and owner, unlocked if there is an unlocked one. */
  readonly samples: readonly HoldingSample[];
  /** Everything these parties see was read, so an instrument missing from the samples does not exist. */
  readonly whole: boolean;
}

/** `limit`: the most contracts that are read. */
export interface HoldingsQuestion {
  readonly parties: readonly string[];
  readonly at: Offset;
  readonly limit: number;
}

/** An instrument counts only if its admin has signed. */
export async function holdingSamples(
  wire: Wire,
  settings: LedgerSettings,
  { parties, at, limit }: HoldingsQuestion,
  options: CallOptions,
): Promise<Read<HoldingSamples>> {
  const request = activeContractsRequest(parties, holdingFilter(settings), at);
  const stream = serverStream(wire, GetActiveContracts, request, options);
  const samples = new Map<string, HoldingSample>();
  let read = 0;
  try {
    for (;;) {
      const next = await stream.next();
      if (next.done) {
        return next.value === null
          ? { kind: 'read', value: { samples: [...samples.values()], whole: true } }
          : readFailure(next.value);
      }
      const created = next.value.activeContract?.createdEvent;
      const seen = created === undefined ? null : holdingSample(created);
      if (seen !== null) {
        const key = JSON.stringify([seen.admin, seen.instrumentId, seen.owner]);
        if (samples.get(key)?.locked !== false) samples.set(key, seen);
      }
      read += 1;
      if (read >= limit) return { kind: 'read', value: { samples: [...samples.values()], whole: false } };
    }
  } finally {
    // Seen enough; the call must not outlive this function.
    await stream.return(null);
  }
}

/** Null if the view was not computed, or the admin has not signed. */
export function holdingSample({
  interfaceViews,
  contractId,
  signatories,
}: CreatedEvent): HoldingSample | null {
  const view = interfaceViews.find(({ interfaceId }) =>
    isEntity(interfaceId, HOLDING_MODULE, HOLDING_INTERFACE),
  );
  const fields = recordFields(view?.viewValue);
  const owner = fields?.party('owner') ?? null;
  const instrument = instrumentOf(fields?.fields('instrumentId') ?? null);
  if (owner === null || instrument === null || !signatories.includes(instrument.admin)) return null;
  return {
    contractId,
    owner,
    admin: instrument.admin,
    instrumentId: instrument.id,
    // Participants leave out a None at the end of a Daml record.
    locked: fields?.present('lock') ?? false,
  };
}
