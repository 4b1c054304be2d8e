import test from 'ava';
import { settingsTable, tableInReadme } from '../../scripts/readme-settings.js';
import { describe, settingNames } from '../../src/config/settings.js';

test('README lists every setting as the code has it: npx tsx scripts/readme-settings.ts writes it', (t) => {
  t.is(tableInReadme(), settingsTable());
});

test('every setting says what it is for, and its default', (t) => {
  for (const name of settingNames) {
    const { fallback, about } = describe(name);
    t.true(fallback.length > 0 && about.length > 0, name);
  }
});
