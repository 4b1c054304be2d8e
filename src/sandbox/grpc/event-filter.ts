// Which events a reader asked for: by party, by template or interface, with or without blobs and views.
import type { EventFormat, Filters } from '#proto/com/daml/ledger/api/v2/transaction_filter.js';
import {
  type InterfaceKind,
  resolve,
  type TemplateKind,
  templateKinds,
  templates,
} from '../daml/packages.js';
import { refuse } from '../errors.js';
import { missing, partyString } from './fields.js';

interface Rule {
  readonly kinds: readonly TemplateKind[];
  readonly blob: boolean;
  readonly view?: InterfaceKind;
}

export interface Wanted {
  /** The requesting parties that may see it. */
  readonly witnesses: readonly string[];
  readonly blob: boolean;
  readonly views: readonly InterfaceKind[];
}

export class EventFilter {
  readonly verbose: boolean;
  readonly #byParty: ReadonlyMap<string, readonly Rule[]>;
  readonly #anyParty: readonly Rule[] | undefined;

  constructor(format: EventFormat | undefined, field = 'event_format') {
    if (!format) missing(field);
    for (const party of format.filtersByParty.keys()) {
      if (!partyString.test(party))
        refuse('INVALID_ARGUMENT', `${JSON.stringify(party.slice(0, 64))} is not a party`);
    }
    this.verbose = format.verbose;
    this.#byParty = new Map([...format.filtersByParty].map(([party, filters]) => [party, compile(filters)]));
    this.#anyParty = format.filtersForAnyParty && compile(format.filtersForAnyParty);
    if (this.#byParty.size === 0 && !this.#anyParty) {
      refuse('INVALID_ARGUMENT', 'filtersByParty and filtersForAnyParty cannot be empty simultaneously');
    }
  }

  /** Every party whose contracts may be shown, with the templates. */
  *scopes(
    allParties: readonly string[],
  ): Generator<readonly [party: string, kinds: ReadonlySet<TemplateKind>]> {
    const parties = this.#anyParty ? new Set([...allParties, ...this.#byParty.keys()]) : this.#byParty.keys();
    for (const party of parties) yield [party, new Set(this.#rules(party).flatMap((rule) => rule.kinds))];
  }

  get parties(): readonly string[] {
    return [...this.#byParty.keys()];
  }

  asks(party: string): boolean {
    return this.#anyParty !== undefined || this.#byParty.has(party);
  }

  /** Undefined if none of the requesting parties sees it. */
  match(kind: TemplateKind, visibleTo: readonly string[]): Wanted | undefined {
    const witnesses: string[] = [];
    const rules = new Set<Rule>();
    for (const party of visibleTo) {
      const applying = this.#rules(party).filter((rule) => rule.kinds.includes(kind));
      if (applying.length > 0) witnesses.push(party);
      for (const rule of applying) rules.add(rule);
    }
    if (witnesses.length === 0) return undefined;
    const applied = [...rules];
    return {
      witnesses,
      blob: applied.some((rule) => rule.blob),
      views: [...new Set(applied.flatMap((rule) => rule.view ?? []))],
    };
  }

  #rules(party: string): readonly Rule[] {
    return [...(this.#byParty.get(party) ?? []), ...(this.#anyParty ?? [])];
  }
}

function compile(filters: Filters): Rule[] {
  if (filters.cumulative.length === 0) return [{ kinds: templateKinds, blob: false }];
  return filters.cumulative.map((filter): Rule => {
    const { wildcardFilter, interfaceFilter, templateFilter } = filter;
    if (templateFilter) {
      const found = resolve(templateFilter.templateId, { field: 'template_id', by: 'template' });
      const kinds = found.kind === 'template' ? [found.template] : [];
      return { kinds, blob: templateFilter.includeCreatedEventBlob };
    }
    if (interfaceFilter) {
      const found = resolve(interfaceFilter.interfaceId, { field: 'interface_id', by: 'interface' });
      if (found.kind === 'template') return { kinds: [], blob: false };
      return {
        kinds: templateKinds.filter((kind) => templates[kind].implements.includes(found.interface)),
        blob: interfaceFilter.includeCreatedEventBlob,
        ...(interfaceFilter.includeInterfaceView ? { view: found.interface } : {}),
      };
    }
    return { kinds: templateKinds, blob: wildcardFilter?.includeCreatedEventBlob ?? false };
  });
}
