// Lines that a shell can source, and `--env-file` can read.

export const exportLine = (name: string, value: string): string =>
  `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`;

export const exportLines = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => exportLine(name, value))
    .join('');
