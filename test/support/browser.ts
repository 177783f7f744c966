import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { repoRoot } from './root.ts';

/** Program that tests with a browser need: hand it to `needTool`. */
export const BROWSER = 'chromium';

/** Without them Chromium asks for hosts that a test machine does not reach, and needs a sandbox that root does not have. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const WAIT_MS = 60_000;
const TROUBLES_MAX = 50;

/** A page, and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors on the console or uncaught, failed requests, and requests to any other host. */
  readonly troubles: string[];
  /** Closes the page and its context. */
  close(): Promise<void>;
}

/** Starts the system's Chromium without a window, with a profile of its own. */
export function startBrowser(): Promise<Browser> {
  const executablePath = spawnSync('which', [BROWSER], { encoding: 'utf8' }).stdout.trim();
  return chromium.launch({ executablePath, args: FLAGS });
}

/** Opens an address in a context of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const troubles: string[] = [];
  const note = (text: string) => {
    if (troubles.length < TROUBLES_MAX) troubles.push(text);
  };
  const { host } = new URL(url);
  page.on('console', (message) => {
    if (message.type() === 'error') note(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => note(`uncaught: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => note(`failed: ${request.url()} ${request.failure()?.errorText ?? ''}`));
  page.on('request', (request) => {
    const address = new URL(request.url());
    if (['http:', 'https:', 'ws:', 'wss:'].includes(address.protocol) && address.host !== host) {
      note(`foreign: ${request.url()}`);
    }
  });
  await page.goto(url);
  return { page, troubles, close: () => context.close() };
}

/** Keeps a picture of the whole page in .cache/screenshots. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  const folder = join(repoRoot(), '.cache', 'screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

/** True when the page is wider than its window, so that it could be scrolled sideways. */
export async function overflows(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > window.innerWidth');
}
