import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { SimulatedLink } from '../../firmware/simulator/link.ts';
import { systemClock } from '../../nodes/headend/clock.ts';
import { BROWSER, openPage, overflows, startBrowser, takeScreenshot, type WatchedPage } from '../support/browser.ts';
import { demoFlowWith } from '../support/demo-flow.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { SECRETS } from '../support/secrets.ts';
import { readMeasuredRows, writeLoggingPreload } from '../support/simulator-log.ts';
import { needTool } from '../support/tools.ts';

const METERS = 12;
const NODES = 16;
const PHONE = { width: 390, height: 844 };
/** A name as nobody should give one: it must be shown as it is. */
const ODD_NAME = '<img class="odd" src="x" onerror="odd = 1"> & =1+1';

/** A line of one of the two lists of meters as it is shown. */
interface ShownMeter {
  meter: string;
  name: string;
  at: number;
  value: number;
  unit: string;
}

async function oddlyNamed(): Promise<object> {
  const link = new SimulatedLink({ scenario: 'demo', seed: 1, networkId: 'demo', clock: systemClock });
  const first = [...(await link.names())].find(([, name]) => name === 'Flat 1');
  assert.ok(first, 'the demo has no Flat 1');
  return { id: first[0], name: ODD_NAME };
}

function listLength(page: Page, list: string, count: number): Promise<unknown> {
  return page.waitForFunction(`document.querySelectorAll('[data-list=${list}] li').length === ${count}`);
}

function readList(page: Page, list: string): Promise<ShownMeter[]> {
  return page.evaluate<ShownMeter[]>(`[...document.querySelectorAll('[data-list=${list}] li')].map((line) => {
    const [value, unit] = line.querySelector('.wm-value').textContent.trim().split(' ');
    const name = line.querySelector('.wm-name').textContent.trim();
    return { meter: line.dataset.meter, name, at: Number(line.dataset.at), value: Number(value.replaceAll(',', '')), unit };
  })`);
}

function tile(page: Page, id: string): Promise<string> {
  return page.locator(`[data-tile=${id}] p`).innerText();
}

describe('dashboard of the demo', function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-dashboard-'));
  const logFile = join(folder, 'measured.jsonl');
  let nodeRed: RunningNodeRed;
  let browser: Browser | undefined;
  let desktop: WatchedPage;
  let page: Page;

  before(async function () {
    if (!needTool(this, BROWSER)) return;
    const preload = join(folder, 'preload.cjs');
    writeLoggingPreload(preload, logFile);
    const flows = demoFlowWith({ names: [await oddlyNamed()] });
    nodeRed = await startNodeRed({ flows, execArgv: ['--require', preload] });
    browser = await startBrowser();
    desktop = await openPage(browser, `${nodeRed.url}/dashboard`, { viewport: { width: 1440, height: 900 } });
    page = desktop.page;
    await listLength(page, 'power', METERS);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The rows that a meter measured, by its metering point, which is its node id. */
  const measuredBy = (meter: string) => readMeasuredRows(logFile).filter(({ nodeId }) => nodeId === meter);

  it('shows the power that each meter measured at that time', async () => {
    const shown = await readList(page, 'power');
    assert.equal(new Set(shown.map(({ meter }) => meter)).size, METERS);
    for (const { meter, at, value, unit } of shown) {
      const measured = measuredBy(meter).find(({ row }) => row.measuredAtMs === at);
      assert.ok(measured, `${meter} measured nothing at ${new Date(at).toISOString()}`);
      assert.equal(value, Math.round((measured.row.powerDw ?? Number.NaN) / 10));
      assert.equal(unit, 'W');
    }
  });

  it('goes on with the meters', async () => {
    const texts = await page.locator('[data-list=power] .wm-value').allInnerTexts();
    const before = await readList(page, 'power');
    const oldest = Math.max(...before.map(({ at }) => at));
    await page.waitForFunction(
      `[...document.querySelectorAll('[data-list=power] li')].every((line) => Number(line.dataset.at) > ${oldest})`,
    );
    await page.waitForFunction(
      `[...document.querySelectorAll('[data-list=power] .wm-value')].map((value) => value.innerText).join() !== ${JSON.stringify(texts.join())}`,
    );
    const after = await readList(page, 'power');
    for (const { meter, at, value } of after) {
      const measured = measuredBy(meter).find(({ row }) => row.measuredAtMs === at);
      assert.equal(value, Math.round((measured?.row.powerDw ?? Number.NaN) / 10));
    }
  });

  it("shows today's energy: each meter's register less that of its first row of the day", async () => {
    await listLength(page, 'today', METERS);
    const midnight = new Date().setHours(0, 0, 0, 0);
    for (const { meter, value, unit } of await readList(page, 'today')) {
      assert.equal(unit, 'Wh');
      const registers = measuredBy(meter).filter(({ row }) => row.measuredAtMs >= midnight);
      const first = registers[0]?.row.importDwh ?? Number.NaN;
      const possible = registers.map(({ row }) => ((row.importDwh ?? Number.NaN) - first) / 10);
      assert.ok(
        possible.some((wh) => Math.abs(wh - value) < 0.051),
        `${meter}: ${value} Wh is none of ${possible}`,
      );
    }
  });

  it('adds up in the tiles', async () => {
    await page.waitForFunction(`(() => {
      const number = (text) => Number(text.replaceAll(',', ''));
      const lines = [...document.querySelectorAll('[data-list=power] .wm-value')];
      const total = lines.reduce((sum, line) => sum + number(line.textContent.trim().split(' ')[0]), 0);
      const [value, unit] = document.querySelector('[data-tile=power] p').innerText.trim().split(/\\s+/);
      return Math.abs(number(value) * (unit === 'kW' ? 1000 : 1) - total) <= ${METERS};
    })()`);
    assert.match(await tile(page, 'online'), /^12\s+of 12$/);
    assert.match(await tile(page, 'today'), /^[\d,.]+\s+k?Wh$/);
    const stored = Number((await tile(page, 'stored')).replaceAll(/\D/g, ''));
    assert.ok(stored >= METERS && stored <= readMeasuredRows(logFile).length, `${stored} readings`);
  });

  it('lists all nodes as online, with hub and hops', async () => {
    await page.waitForFunction(`document.querySelectorAll('.wm-nodes tr.online').length === ${NODES}`);
    const signal = '.wm-nodes td.c-signal_dbm';
    await page.waitForFunction(
      `[...document.querySelectorAll('${signal}')].slice(1).every((cell) => /dBm/.test(cell.innerText))`,
    );
    const rows = await page.locator('.wm-nodes tbody tr').all();
    const cells = await Promise.all(rows.map((row) => row.locator('td').allInnerTexts()));
    const meters = cells.filter(([, role]) => role?.trim() === 'meter');
    assert.equal(meters.length, METERS);
    for (const [name, , hub = '', hops, status, strength = '', seen = ''] of meters) {
      assert.match(hub, /^Stairwell [ABC]$/, name);
      assert.ok(Number(hops) >= 1 && Number(hops) <= 20, `${name}: ${hops} hops`);
      assert.equal(status?.trim(), 'online');
      assert.match(strength, /-\d+ dBm/);
      assert.match(seen, /^\d+ s ago$/);
    }
    assert.deepEqual(
      cells[0]?.slice(0, 2).map((text) => text.trim()),
      ['Gateway', 'gateway'],
    );
  });

  it('sorts the nodes by any column', async () => {
    const names = () => page.locator('.wm-nodes .c-name b').allInnerTexts();
    const header = page.locator('.wm-nodes th.c-name');
    await header.locator('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    const ascending = await names();
    await header.locator('button').click();
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await names(), ascending.toReversed());
    assert.ok(ascending.indexOf('Flat 2') < ascending.indexOf('Flat 10'), 'numbers in names count as numbers');
  });

  it('draws a map of all nodes, each with its way to the gateway', async () => {
    await page.waitForFunction(`document.querySelectorAll('.wm-link').length === ${NODES - 1}`);
    assert.equal(await page.locator('.wm-node').count(), NODES);
    const links = await page.evaluate<[string, string][]>(
      `[...document.querySelectorAll('.wm-link')].map((link) => [link.dataset.from, link.dataset.to])`,
    );
    const parents = new Map(links);
    const gateway = await page.locator('.wm-node.gateway').getAttribute('data-node');
    for (const start of parents.keys()) {
      let node: string | undefined = start;
      for (let hop = 0; hop < NODES && node !== gateway; hop++) node = parents.get(node ?? '');
      assert.equal(node, gateway, `${start} has no way to the gateway`);
    }
  });

  it('tells about a node of the map that is tapped', async () => {
    const node = page.locator('.wm-node.meter').last();
    const name = await node.locator('text').textContent();
    await node.locator('.wm-touch').click();
    const detail = await page.locator('.wm-detail').innerText();
    assert.ok(detail.includes(name ?? '?'), `${detail} does not name ${name}`);
    assert.match(detail, /meter\s+online\s+\d hops?\s+by way of/);
    await page.mouse.move(0, 0);
  });

  it('shows names as they are', async () => {
    assert.ok((await readList(page, 'power')).some(({ name }) => name === ODD_NAME));
    assert.ok((await page.locator('.wm-nodes .c-name b').allInnerTexts()).includes(ODD_NAME));
    assert.equal(await page.locator('.odd').count(), 0);
  });

  it('draws the curves of all meters, and their values under the pointer', async () => {
    assert.equal(await page.locator('.wm-chart .wm-layer').count(), METERS);
    await page.locator('.wm-chart svg').hover();
    assert.match(await page.locator('.wm-tip header').innerText(), /^[\d,]+ W/);
    await page.mouse.move(0, 0);
    await takeScreenshot(page, 'dashboard-desktop');
  });

  it('fits a phone', async () => {
    assert.ok(browser);
    const phone = await openPage(browser, `${nodeRed.url}/dashboard`, { viewport: PHONE, hasTouch: true });
    await listLength(phone.page, 'power', METERS);
    await phone.page.waitForSelector('.wm-map svg');
    assert.equal(await overflows(phone.page), false);
    await phone.page.locator('.wm-node.hub').first().tap();
    assert.match(await phone.page.locator('.wm-detail').innerText(), /Stairwell/);
    await takeScreenshot(phone.page, 'dashboard-phone');
    assert.deepEqual(phone.troubles, []);
    await phone.close();
  });

  it('is dark where the device asks for it', async () => {
    assert.ok(browser);
    const dark = await openPage(browser, `${nodeRed.url}/dashboard`, { colorScheme: 'dark' });
    await listLength(dark.page, 'power', METERS);
    await dark.page.waitForFunction(`(() => {
      const light = (part, property) => Number(/\\d+/.exec(getComputedStyle(document.querySelector(part))[property]));
      const around = light('.v-application', 'backgroundColor');
      const card = light('.nrdb-ui-group:not(.wm-bare) > .v-card', 'backgroundColor');
      return around < 60 && card < 60 && light('.wm', 'color') > 180;
    })()`);
    await takeScreenshot(dark.page, 'dashboard-dark');
    await dark.close();
  });

  it('has no errors, failed requests or foreign hosts', () => {
    assert.deepEqual(desktop.troubles, []);
  });

  it('says that it waits before the first reading', async () => {
    const network = { connection: 'flow', networkId: 'empty', credentials: SECRETS };
    await nodeRed.deploy(demoFlowWith(network, 'other_'));
    assert.ok(browser);
    const empty = await openPage(browser, `${nodeRed.url}/dashboard`);
    await empty.page.waitForSelector('.wm-wait');
    assert.equal(await empty.page.getByText('waiting for the first readings…').count(), 6);
    assert.match(await tile(empty.page, 'power'), /^–/);
    assert.equal(await empty.page.locator('.wm-bars li').count(), 0);
    await takeScreenshot(empty.page, 'dashboard-empty');
    assert.deepEqual(empty.troubles, []);
    await empty.close();
  });
});
