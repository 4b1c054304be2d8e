// The page as a person has it: in a real browser, light and dark, on a phone and on a desk, with a keyboard and a screen
// reader. TEST_SHOTS: a folder for pictures of it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Scene, setScene, TOKEN } from './scene.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = process.env.TEST_SHOTS;

const LOOKS = [
  { name: 'light-wide', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark-wide', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { name: 'light-phone', colorScheme: 'light', viewport: { width: 375, height: 800 } },
  { name: 'dark-phone', colorScheme: 'dark', viewport: { width: 375, height: 800 } },
] as const;

async function openBrowser(t: ExecutionContext): Promise<Browser> {
  const browser = await chromium.launch({
    ...(process.env.TEST_BROWSER === undefined ? {} : { executablePath: process.env.TEST_BROWSER }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  t.teardown(() => browser.close());
  return browser;
}

/** Opens a page, and tells of whatever its console complains about or asks of other hosts. */
async function open(browser: Browser, url: string, look: (typeof LOOKS)[number] = LOOKS[0]) {
  const { colorScheme, viewport } = look;
  const context = await browser.newContext({ colorScheme, viewport, bypassCSP: false });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
      complaints.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints };
}

async function violations(page: Page): Promise<string[]> {
  // As the test runner's own script, which the page's policy does not bind.
  await page.evaluate(AXE);
  const found = await page.evaluate(() =>
    (
      globalThis as unknown as {
        axe: {
          run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
        };
      }
    ).axe.run(),
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

const shot = async (page: Page, name: string, fullPage = true): Promise<void> => {
  if (SHOTS !== undefined) await page.screenshot({ path: path.join(SHOTS, `${name}.png`), fullPage });
};

test('light and dark, wide and narrow: complete, nothing for axe to find, nothing in the console', async (t) => {
  const [scene, browser] = await Promise.all([setScene(t), openBrowser(t)]);
  for (const look of LOOKS) {
    const { page, complaints } = await open(browser, scene.url, look);
    await page.getByText('A person is needed.').waitFor();
    await page.locator('figure canvas').nth(4).waitFor();
    await page.locator('#parked li').nth(1).waitFor();
    t.deepEqual(await violations(page), [], look.name);
    t.true(
      await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
      `${look.name}: nothing beside the window`,
    );
    await shot(page, look.name);
    t.deepEqual(complaints, [], look.name);
    await page.context().close();
  }
  await theRest(t, scene, browser);
});

/** On the same scene, since a scene takes long. */
async function theRest(t: ExecutionContext, { url, parked, failed, world }: Scene, browser: Browser) {
  const { page, complaints } = await open(browser, url);
  // Both the amount and what to do, where a person looks first.
  const place = page.locator('#parked');
  await place.getByText('UNKNOWN_TOKEN', { exact: true }).waitFor();
  t.regex((await place.textContent()) ?? '', /What to do: TOKENS_FILE lacks what the reason names/);
  const failures = page.locator('#failed');
  await failures.getByText('4,999.999 DEMO').waitFor();

  // By keyboard alone: to the search, a hash, its story, and back.
  await page.locator('#hash').focus();
  await page.keyboard.type(failed[0] ?? '');
  await page.keyboard.press('Enter');
  const story = page.locator('#story');
  await story.getByText('What happened').waitFor();
  t.regex(
    (await story.textContent()) ?? '',
    /4,999\.999 DEMO, failed.*failed for good.*Its wallet reads: Insufficient balance.*new transaction/s,
  );
  t.is(await page.evaluate('document.activeElement.id'), 'story');
  t.deepEqual(await violations(page), [], 'a story');
  await shot(page, 'story', false);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await story.waitFor({ state: 'hidden' });

  // A row that is parked, by its link; and what changes comes by itself.
  await place.getByRole('link', { name: parked[0] ?? '' }).click();
  await story.getByText(/^Parked: UNKNOWN_TOKEN.*Then: canton-submitter replay/).waitFor();
  const [other] = parked.slice(1);
  await world.db.query("update mempool set available_at = now() + interval '1 hour' where tx_hash = $1", [
    Buffer.from((other ?? '').slice(2), 'hex'),
  ]);
  await place.getByRole('link', { name: other ?? '' }).waitFor({ state: 'detached' });
  t.deepEqual(complaints, []);
}

test('with a token: asked for once, sent by the script alone; and with it a person acts, in his name', async (t) => {
  const [scene, browser] = await Promise.all([setScene(t, { token: TOKEN }), openBrowser(t)]);
  const { page, complaints } = await open(browser, scene.url);
  const secret = page.locator('#secret');
  await secret.waitFor();
  t.deepEqual(await violations(page), [], 'asking for the token');
  await secret.fill('not this one');
  await page.keyboard.press('Enter');
  await page.getByText('The instance refuses this token.').waitFor();
  await secret.fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('A person is needed.').waitFor();
  t.deepEqual(await page.context().cookies(), []);

  // By keyboard: the question, a name, a reason.
  const hash = scene.parked[0] ?? '';
  await page.locator('#parked li', { hasText: hash }).getByRole('button', { name: 'Replay…' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('#act-by').waitFor();
  t.deepEqual(await violations(page), [], 'a question');
  await shot(page, 'question', false);
  await page.locator('#act-by').fill('Jane');
  await page.locator('#act-reason').fill('the token is in the file now');
  await page.keyboard.press('Enter');
  await page.getByText(`${hash} is due again.`).waitFor();

  await page.getByRole('button', { name: 'Pause everything…' }).click();
  await page.locator('#act-reason').fill('the participant is being upgraded');
  await page.keyboard.press('Enter');
  await page
    .getByText(/Everything is paused by Jane \(page of i1\): the participant is being upgraded/)
    .waitFor();
  await shot(page, 'paused', false);
  await page.getByRole('button', { name: 'Resume everything…' }).click();
  await page.locator('#act-reason').fill('it is back');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Pause everything…' }).waitFor();
  const acts = await scene.world.db.query(
    'select action, by_person, reason from mempool_submitter_audit_v1 where by_person is not null order by id',
  );
  const by_person = 'Jane (page of i1)';
  t.deepEqual(acts, [
    { action: 'replay', by_person, reason: 'the token is in the file now' },
    { action: 'pause', by_person, reason: 'the participant is being upgraded' },
    { action: 'resume', by_person, reason: 'it is back' },
  ]);
  // A browser says of each refused token that it was refused.
  t.deepEqual(
    complaints.filter((one) => !/401/.test(one)),
    [],
  );
});
