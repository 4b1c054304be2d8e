// Plain text for people.

/** `1.2 s`, `3 min`, `5 h`: two digits are enough to see what is wrong. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const [size, name] = units.find(([size]) => ms >= size) ?? [1_000, 's'];
  const value = ms / size;
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${name}`;
}

/** Columns as wide as their widest cell; numbers right-aligned. */
export function table(rows: readonly (readonly (string | number)[])[], indent = '  '): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => String(row[column] ?? '').length)),
  );
  const cell = (value: string | number, width: number): string =>
    typeof value === 'number' ? String(value).padStart(width) : value.padEnd(width);
  return rows
    .map((row) =>
      `${indent}${row.map((value, column) => cell(value, widths[column] ?? 0)).join('  ')}`.trimEnd(),
    )
    .join('\n');
}

/** External text on one line of the terminal, without anything that would move the cursor. */
export const oneLine = (text: string, most = 160): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
  return plain.length > most ? `${plain.slice(0, most - 1)}…` : plain;
};

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
