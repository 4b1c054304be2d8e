// Lines that a shell can source, and `--env-file` can read.

const exportLine = (name: string, value: string): string =>
  `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`;

export const exportLines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => exportLine(name, value))
    .join('');

/** systemd would read them in its own way, and docker and kubectl as they stand. */
const READ_DIFFERENTLY = /^\s|\s$|["'\\\r\n]/;

/** Bare lines, for systemd's EnvironmentFile, `docker --env-file` and `kubectl --from-env-file`; and what none may have there. */
export function plainLines(values: Readonly<Record<string, string>>): {
  readonly lines: string;
  readonly unfit: readonly string[];
} {
  const all = Object.entries(values);
  return {
    lines: all.map(([name, value]) => `${name}=${value}\n`).join(''),
    unfit: all.filter(([, value]) => READ_DIFFERENTLY.test(value)).map(([name]) => name),
  };
}
