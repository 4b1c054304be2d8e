// Outcomes on their way to others, in words.
import type { OutboxStatus } from '../../store/outbox-status.js';
import { duration, oneLine, table } from '../support/text.js';

const SHOWN = 10;

export function outcomesText({ keptFor, waiting, dead, troubled, consumers }: OutboxStatus): string {
  const lines: (readonly (string | number)[])[] = [];
  if (keptFor === 'webhooks' || waiting.rows > 0)
    lines.push([
      'to deliver',
      waiting.rows,
      waiting.oldestMs === null ? '' : `oldest ${duration(waiting.oldestMs)}`,
    ]);
  if (dead > 0) lines.push(['given up', dead, 'see `webhooks list`']);
  for (const { consumer, behind, idleMs, read } of consumers) {
    const last = idleMs === null ? 'nothing acknowledged yet' : `last acknowledged ${duration(idleMs)} ago`;
    lines.push([`consumer ${consumer}`, behind, `behind, ${read ? 'read now' : 'NOT READ'}, ${last}`]);
  }
  const trouble = troubled
    .slice(0, SHOWN)
    .map(({ txHash, delivery, attempts, error }) => [
      txHash,
      delivery === 'dead' ? 'given up' : 'tried again',
      attempts,
      oneLine(error ?? ''),
    ]);
  const parts = [lines, trouble].filter((part) => part.length > 0).map((part) => table(part));
  return parts.length === 0 ? '  nothing yet' : parts.join('\n');
}
