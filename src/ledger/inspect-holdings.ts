// Which instruments there are holdings of, by the interface's own view, whatever their template: enough of them to tell
// a mistyped instrument from a new one, and never more than a start can wait for.
import type { CreatedEvent } from '#proto/com/daml/ledger/api/v2/event.js';
import { UnimplementedStateServiceService } from '#proto/com/daml/ledger/api/v2/state_service.js';
import type { Offset } from '../core/ids.js';
import type { CallOptions, Read } from '../ports/ledger.js';
import { readFailure, serverStream, type Wire } from './call.js';
import { activeContractsRequest, HOLDING_INTERFACE, HOLDING_MODULE, holdingFilter } from './contracts.js';
import type { LedgerSettings } from './settings.js';
import { fieldsOf, instrumentOf, isEntity } from './values.js';

const { GetActiveContracts } = UnimplementedStateServiceService.definition;

export interface HoldingSample {
  readonly contractId: string;
  readonly owner: string;
  readonly admin: string;
  readonly instrumentId: string;
  readonly locked: boolean;
}

export interface HoldingSamples {
  /** Of each instrument and owner one, an unlocked one where there is such. */
  readonly samples: readonly HoldingSample[];
  /** All that these parties see was read: what is not among the samples is nowhere. */
  readonly whole: boolean;
}

/** `limit`: contracts that are read at the most. */
export interface HoldingsQuestion {
  readonly parties: readonly string[];
  readonly at: Offset;
  readonly limit: number;
}

/** An instrument is believed only where its admin has signed. */
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
    // Seen enough: the call must not outlive this.
    await stream.return(null);
  }
}

/** Null where the view was not computed, or its admin has no part in it. */
export function holdingSample({
  interfaceViews,
  contractId,
  signatories,
}: CreatedEvent): HoldingSample | null {
  const view = interfaceViews.find(({ interfaceId }) =>
    isEntity(interfaceId, HOLDING_MODULE, HOLDING_INTERFACE),
  );
  const fields = fieldsOf(view?.viewValue);
  const owner = fields?.party('owner') ?? null;
  const instrument = instrumentOf(fields?.record('instrumentId') ?? null);
  if (owner === null || instrument === null || !signatories.includes(instrument.admin)) return null;
  return {
    contractId,
    owner,
    admin: instrument.admin,
    instrumentId: instrument.id,
    // Left out at the end it is None.
    locked: fields?.present('lock') ?? false,
  };
}
