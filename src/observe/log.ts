// The log: one subscriber to the events. A row's steps are debug, its end is info, what a person has to see is warn or error.
// Long because each event has its line here, and no step of the path logs by itself.
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Observable } from 'rxjs';
import { codeOf } from '../core/advice.js';
import { StoreUnavailable } from '../core/errors.js';
import type { Clock } from '../ports/clock.js';
import type { Outcome } from '../protocol/outcome.js';
import { verdictName } from '../protocol/verdict.js';
import type { SubmitterEvent } from './events.js';
import { isOld, UNPROVABLE } from './health.js';
import { textLine } from './log-text.js';
import { createSeldom } from './seldom.js';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** `json`, one object a line, unless told otherwise. */
  readonly format?: 'json' | 'text';
  readonly instance: string;
  /** Texts that must not appear in any line, whoever put them into an error: passwords, tokens. */
  readonly secrets: readonly string[];
  readonly destination?: DestinationStream;
}

/** A secret shorter than this would black out harmless words. */
const LEAST_SECRET = 6;

export function createLogger({ level, format = 'json', instance, secrets, destination }: LogOptions): Logger {
  const hidden = secrets.filter((secret) => secret.length >= LEAST_SECRET);
  const target = destination ?? stdout();
  // The finished line is searched, since errors of libraries hold URLs in places that a list of paths cannot know.
  const redacting: DestinationStream = {
    write(line) {
      const shown = hidden.reduce((text, secret) => text.replaceAll(jsonOf(secret), '***'), line);
      target.write(format === 'json' ? shown : textLine(shown));
    },
  };
  const options = {
    level,
    base: { instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    // A person reads "warn"; 40 has to be looked up.
    formatters: { level: (level: string) => ({ level }) },
  };
  return pino(options, redacting);
}

/** How much is kept while a disk is full; more is dropped, and the service goes on. */
const KEPT_BYTES = 1024 * 1024;

function stdout(): DestinationStream {
  const file = pino.destination({ fd: 1, sync: true, maxLength: KEPT_BYTES });
  // Without a listener an error would end the process. A reader that is gone (EPIPE) is such an error: it gets no more.
  file.on('error', () => {});
  return file;
}

/** As it is written within a line of JSON. */
const jsonOf = (secret: string): string => JSON.stringify(secret).slice(1, -1);

export function logEvents(log: Logger, events$: Observable<SubmitterEvent>, clock: Clock): void {
  const seldom = createSeldom(clock);
  const rows = new Map<string, number>();
  let unready: Extract<SubmitterEvent, { kind: 'not-ready' }> | null = null;

  const fault = (where: string, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    // An outage of the database is expected, and ends by itself; anything else is a bug, and its stack says where.
    const outage = error instanceof StoreUnavailable;
    const missed = seldom(outage ? message : `${where} ${message}`);
    if (missed === null) return;
    const repeated = missed > 0 ? { repeated: missed } : {};
    if (outage) log.warn({ where, reason: message, ...repeated }, 'database unavailable, trying again');
    else log.error({ where, err: error, ...repeated }, 'fault');
  };

  const webhook = ({
    txHash,
    outcome,
    attempt,
    attempts,
    ageMs,
  }: Extract<SubmitterEvent, { kind: 'webhook' }>) => {
    const common = { txHash, outcome, attempts, ageMs: round(ageMs) };
    if (attempt.kind === 'delivered')
      return log.debug({ ...common, status: attempt.status }, 'webhook delivered');
    const missed = seldom(`webhook ${attempt.reason}`);
    if (missed === null) return;
    const repeated = missed > 0 ? { repeated: missed } : {};
    return log.warn(
      { ...common, reason: attempt.reason, ...repeated },
      'webhook failed: it will be tried again',
    );
  };

  /** While it lasts, ever less often and at least once a minute, together with whatever event comes. */
  const remind = (): void => {
    if (unready === null || seldom(`not ready ${JSON.stringify(unready.blockers)}`) === null) return;
    log.warn({ blockers: unready.blockers }, 'not ready: claiming no rows');
  };

  events$.subscribe((event) => {
    if (event.kind === 'not-ready') unready = event;
    else if (event.kind === 'ready' || event.kind === 'stopping') unready = null;
    remind();
    switch (event.kind) {
      case 'woken':
        return log.trace({ by: event.by }, 'woken');
      case 'not-ready':
        return;
      case 'claimed':
        return log[event.rows > 0 ? 'debug' : 'trace'](fields(event), 'claimed');
      case 'taken':
        rows.set(event.id, clock.elapsed());
        return log.debug(fields(event), event.kind);
      case 'prepared':
      case 'sent':
      case 'traffic':
        return log.debug(fields(event), event.kind);
      case 'looked':
        return event.found === 'foreign' || event.found === 'lost'
          ? log.error(fields(event), 'a lookup cannot decide this row: it parks, and its reason says why')
          : log.debug(fields(event), 'looked');
      case 'answered':
        return log.debug(
          { ...row(event), tookMs: round(event.tookMs), ...outcomeFields(event.outcome) },
          'answered',
        );
      case 'settled': {
        // How long the row took from its claim; the statement's own time is of no interest.
        const since = rows.get(event.id);
        rows.delete(event.id);
        return settled(
          log,
          since === undefined ? event : { ...event, tookMs: clock.elapsed() - since },
          seldom,
        );
      }
      case 'parked':
        return log.warn({ ...row(event), reason: event.reason }, 'parked: waits for a person');
      case 'fenced':
        rows.delete(event.id);
        return log.warn(fields(event), 'the claim was lost: nothing was written');
      case 'rescued':
        return log.warn({ rows: event.rows }, 'took back rows whose lease had run out');
      case 'breaker':
        return log[event.state === 'closed' ? 'info' : 'warn'](fields(event), `breaker ${event.state}`);
      case 'congestion':
        return log[event.reason === null ? 'debug' : 'warn'](
          {
            limit: event.limit,
            ceiling: event.ceiling,
            ...(event.reason === null ? {} : { reason: event.reason }),
          },
          'in-flight limit changed',
        );
      case 'listener':
        if (event.state === 'lost' && seldom(`listener ${event.detail}`) === null) return;
        return log[event.state === 'connected' || event.state === 'recreated' ? 'info' : 'warn'](
          fields(event),
          `listener ${event.state}`,
        );
      case 'clocks':
        return log[event.state === 'fine' ? 'info' : event.state === 'apart' ? 'warn' : 'error'](
          { aheadMs: round(event.aheadMs) },
          CLOCKS[event.state],
        );
      case 'mark':
        return log[event.state === 'provable' ? 'info' : 'warn'](
          event.state === 'provable' ? 'the participant can be proven again' : UNPROVABLE,
        );
      case 'snapshot':
        if (isOld(event) && seldom(`snapshot ${event.holder}`) !== null)
          log.warn(
            fields(event),
            'an old snapshot keeps vacuum from cleaning the table: end the session that holds it',
          );
        return;
      case 'canary':
        if (event.tookMs === null) {
          if (seldom('canary') !== null)
            log.warn(
              'our test notification did not arrive in time: rows are found by polling until one does',
            );
          return;
        }
        return log.trace({ tookMs: round(event.tookMs) }, 'canary heard');
      case 'webhook':
        return webhook(event);
      case 'webhook-dead':
        return log.error(fields(event), 'webhook delivery abandoned: `webhooks replay` tries again');
      case 'receiver':
        return log[event.state === 'back' ? 'info' : 'warn'](
          { detail: event.detail },
          event.state === 'back'
            ? 'the webhook receiver accepts deliveries again'
            : 'the webhook receiver rejects every delivery: outcomes are queued',
        );
      case 'paused':
        return event.parts.length === 0
          ? log.info('nothing is paused any more')
          : log.warn({ parts: event.parts }, 'paused by a person');
      case 'ready':
        return log.info('ready');
      case 'database':
        return log[event.state === 'back' ? 'info' : 'warn'](
          { detail: event.detail },
          `database ${event.state}`,
        );
      case 'alarm':
        return log.error(
          { what: event.what, ...(event.txHash === null ? {} : { txHash: event.txHash }) },
          'alarm',
        );
      case 'warning':
        return log.warn({ what: event.what }, 'warning');
      case 'fault':
        return fault(event.where, event.error);
      case 'hashing-scheme':
        return log.info({ scheme: `V${event.scheme}` }, 'hashing scheme for external senders');
      case 'started':
        return log.info('started');
      case 'stopping':
        return log.info({ inFlight: event.inFlight }, 'stopping');
      case 'stopped':
        return log.info({ clean: event.clean }, 'stopped');
    }
  });
}

const CLOCKS = {
  fine: 'the clocks of database and ledger agree again',
  apart: 'the clocks of database and ledger are apart: synchronize both with NTP',
  'too-far':
    'the clocks of database and ledger are too far apart: one row per BREAKER_PROBE_MS is sent until they agree; synchronize both with NTP',
} as const;

type SettledEvent = Extract<SubmitterEvent, { kind: 'settled' }>;

function settled(
  log: Logger,
  { verdict, result, tookMs, ...event }: SettledEvent,
  seldom: (key: string) => number | null,
) {
  const name = verdictName(verdict);
  const common = { ...row(event), verdict: name, tookMs: round(tookMs) };
  if (typeof result !== 'string')
    return log.error(
      { ...common, refused: result.refused },
      'the database refused this outcome: the row is claimed again once its lease has run out; `refused` says why',
    );
  // Logged as `fenced` and as `parked`.
  if (result === 'fenced' || name === 'parked') return;
  if (verdict.kind === 'completed')
    return log.info(
      { ...common, updateId: verdict.updateId, offset: verdict.offset.toString() },
      'completed',
    );
  if (verdict.kind === 'failed')
    return log.info({ ...common, message: verdict.message, detail: verdict.detail }, 'failed');
  // In an outage every row has the same cause: it is told at once, then now and then with how often it was left out.
  const missed = seldom(`${name} ${causeOf(verdict.lastError)}`);
  const repeated = missed !== null && missed > 0 ? { repeated: missed } : {};
  return log[missed === null ? 'debug' : 'info'](
    { ...common, waitMs: verdict.wait, reason: verdict.lastError, ...repeated },
    verdict.record === 'keep' ? 'will be looked up again' : 'will be retried',
  );
}

/** A reason begins with its code; what follows can name this row's own contracts and parties. */
const causeOf = (reason: string | null): string => codeOf(reason ?? '') ?? reason ?? '';

const row = ({ id, txHash }: { readonly id: string; readonly txHash: string }) => ({ row: id, txHash });
const round = (ms: number): number => Math.round(ms * 10) / 10;

/** The event's own fields, numbers rounded. */
function fields(event: SubmitterEvent): Record<string, unknown> {
  const { kind: _, ...rest } = event as SubmitterEvent & Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name === 'id' ? 'row' : name,
      typeof value === 'number' ? round(value) : typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}

function outcomeFields(outcome: Outcome): Record<string, unknown> {
  switch (outcome.kind) {
    case 'accepted':
      return { outcome: outcome.kind, updateId: outcome.updateId, offset: outcome.offset.toString() };
    case 'refused':
      return { outcome: outcome.kind, ...outcome.refusal };
    default:
      return { outcome: outcome.kind, detail: outcome.detail };
  }
}
