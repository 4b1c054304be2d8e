// What a registry says about itself and about an instrument: the token standard's metadata API, version 1.
import { z } from 'zod';
import type { CallOptions, Read } from '../ports/ledger.js';
import { callRegistry, type RegistryPlace, registryFailure } from './registry-http.js';

export type RegistryInstrument =
  /** `decimals`: how many places it recommends to show, 0 to 10; the standard's default is 10. */
  | { readonly kind: 'known'; readonly symbol: string; readonly decimals: number }
  /** The registry exists and has no such instrument. */
  | { readonly kind: 'unknown' }
  /** The registry belongs to another admin. */
  | { readonly kind: 'other-admin'; readonly admin: string }
  /** There is no metadata API at this URL, so nothing is known. */
  | { readonly kind: 'silent' };

const INFO = z.object({ adminId: z.string().min(1) });
const INSTRUMENT = z.object({
  id: z.string(),
  symbol: z.string(),
  decimals: z.int().min(0).max(255).default(10),
});

const ROOT = '/registry/metadata/v1';

export async function registryInstrument(
  place: RegistryPlace,
  instrumentId: string,
  options: CallOptions,
): Promise<Read<RegistryInstrument>> {
  const info = await callRegistry(place, { path: `${ROOT}/info` }, options);
  if (info.kind === 'failed-read') return info;
  if (info.value.kind === 'not-there') return { kind: 'read', value: { kind: 'silent' } };
  const about = parsed(INFO, info.value.text);
  if (about === null)
    return registryFailure('REGISTRY_UNREADABLE', 'its metadata does not follow the token standard');
  if (about.adminId !== place.admin) {
    return { kind: 'read', value: { kind: 'other-admin', admin: about.adminId } };
  }
  const path = `${ROOT}/instruments/${encodeURIComponent(instrumentId)}`;
  const found = await callRegistry(place, { path }, options);
  if (found.kind === 'failed-read') return found;
  if (found.value.kind === 'not-there') return { kind: 'read', value: { kind: 'unknown' } };
  const instrument = parsed(INSTRUMENT, found.value.text);
  if (instrument === null || instrument.id !== instrumentId) {
    return registryFailure(
      'REGISTRY_UNREADABLE',
      `what it says about ${instrumentId} does not follow the token standard`,
    );
  }
  const { symbol, decimals } = instrument;
  return { kind: 'read', value: { kind: 'known', symbol, decimals } };
}

function parsed<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
