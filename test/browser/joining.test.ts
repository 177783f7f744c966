import assert from 'node:assert/strict';
import type { Browser, Locator, Page } from 'playwright-core';
import { toHex } from '../../nodes/headend/bytes.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { labelDigits, parseLabelText } from '../../nodes/headend/security/label.ts';
import { BROWSER, openPage, startBrowser, takeScreenshot, type WatchedPage } from '../support/browser.ts';
import { demoFlowWith } from '../support/demo-flow.ts';
import { closeDialogs, openNetworkOf, openTab } from '../support/network-dialog.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { readQr } from '../support/qr-reader.ts';
import { needTool } from '../support/tools.ts';

const METERS = 12;
const DEVICES = 16;
/** A name as nobody should give one: it must be shown as it is. */
const ODD_NAME = '<img src=x onerror="wasRead=1">$t(common.label.cancel)';

/** A device as its maker lists it. */
interface ListedDevice {
  readonly label: string;
  readonly key: string;
  readonly digits: string[];
  readonly name: string;
}

/** The demo's devices by node id, as the list of its labels tells them. */
async function listedDevices(url: string, network: string): Promise<Map<string, ListedDevice>> {
  const answer = await fetch(`${url}/wattmesh/networks/${network}/simulated-labels`);
  const { csv } = (await answer.json()) as { csv: string };
  const lines = csv.trim().split('\n').slice(1);
  return new Map(
    lines.map((line) => {
      const [label = '', name = ''] = line.split(',');
      const key = parseLabelText(label);
      return [nodeIdOf(key), { label, key: toHex(key), digits: labelDigits(key), name }];
    }),
  );
}

function count(page: Page, selector: string, wanted: number): Promise<unknown> {
  return page.waitForFunction(`document.querySelectorAll(${JSON.stringify(selector)}).length === ${wanted}`);
}

/** Types the groups that a waiting device's card asks for. */
async function typeDigits(card: Locator, digits: readonly string[]): Promise<void> {
  const shown = await card.locator('.wm-digit').all();
  assert.equal(shown.length, digits.length);
  let asked = 0;
  for (const [index, place] of shown.entries()) {
    const isInput = (await place.getAttribute('placeholder')) !== null;
    if (isInput) {
      asked++;
      await place.fill(digits[index] ?? '');
    } else assert.equal(await place.innerText(), digits[index], 'the digits that are shown are those of the label');
  }
  assert.equal(asked, 2);
}

function card(page: Page, nodeId: string): Locator {
  return page.locator(`#wattmesh-pending [data-node="${nodeId}"]`);
}

describe('devices in the network dialog', function () {
  this.timeout(120_000);
  this.bail(true);
  let nodeRed: RunningNodeRed;
  let browser: Browser | undefined;
  let watched: WatchedPage;
  let page: Page;
  let listed: Map<string, ListedDevice>;

  async function openDevices(network: string): Promise<void> {
    await openNetworkOf(page, network.replace('network', 'readings'));
    await openTab(page, 'devices');
    await page.waitForSelector('#wattmesh-devices-live', { state: 'visible' });
  }

  /** A device's first registers are noted with its first stored reading. */
  async function untilAllReport(network: string): Promise<void> {
    const address = `wattmesh/networks/${network}/devices`;
    await page.waitForFunction(
      `fetch('${address}').then((answer) => answer.json()).then(({ devices }) =>
        devices.filter(({ role, start }) => role === 'meter' && start !== null).length === ${METERS})`,
      undefined,
      { polling: 500 },
    );
  }

  /** The one who is listed under this name. */
  function named(name: string): [string, ListedDevice] {
    const found = [...listed].find(([, device]) => device.name === name);
    assert.ok(found, `the demo has no ${name}`);
    return found;
  }

  async function openRow(nodeId: string): Promise<Locator> {
    const row = page.locator(`#wattmesh-approved [data-node="${nodeId}"]`);
    if ((await row.locator('.wm-line').getAttribute('aria-expanded')) === 'false')
      await row.locator('.wm-line').click();
    return row;
  }

  before(async function () {
    if (!needTool(this, BROWSER)) return;
    const editorTheme = { tours: false, projects: { enabled: false }, palette: { editable: false } };
    nodeRed = await startNodeRed({
      flows: demoFlowWith({ approval: 'operator', allowSuiteNone: false, version: 2 }),
      settings: { editorTheme, externalModules: { palette: { allowInstall: false } } },
    });
    browser = await startBrowser();
    watched = await openPage(browser, nodeRed.url, { viewport: { width: 1500, height: 1200 } });
    page = watched.page;
    listed = await listedDevices(nodeRed.url, 'wm_demo_network');
    assert.equal(listed.size, DEVICES);
    await openDevices('wm_demo_network');
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  it('refuses wrong digits, and keeps what was typed', async () => {
    const [nodeId, { digits }] = named('Gateway');
    const waiting = card(page, nodeId);
    await waiting.waitFor();
    const approve = waiting.getByRole('button', { name: 'Approve' });
    assert.equal(await approve.isDisabled(), true, 'without digits there is nothing to press');
    await typeDigits(waiting, digits);
    const first = waiting.locator('input.wm-digit').first();
    const right = await first.inputValue();
    await first.fill(String((Number(right) + 11_111) % 100_000).padStart(5, '0'));
    await approve.click();
    await waiting.getByText('these are not the digits').waitFor();
    await page.waitForResponse((response) => response.url().endsWith('/devices'));
    assert.equal(
      (await waiting.locator('input.wm-digit').first().inputValue()).length,
      5,
      'a refresh took the digits away',
    );
  });

  it('lists every device of the demo as waiting, and lets it in by the digits of its label', async () => {
    const approved = new Set<string>();
    while (approved.size < DEVICES) {
      const waiting = page.locator('#wattmesh-pending .wm-card').first();
      await waiting.waitFor();
      const nodeId = (await waiting.getAttribute('data-node')) ?? '';
      const device = listed.get(nodeId);
      assert.ok(device, `${nodeId} is none of the demo's devices`);
      const mine = card(page, nodeId);
      await typeDigits(mine, device.digits);
      if (device.name === 'Flat 1') await mine.getByLabel('Name').fill(ODD_NAME);
      if (approved.size === 2) await takeScreenshot(page, 'editor-network-waiting');
      await mine.getByRole('button', { name: 'Approve' }).click();
      await mine.waitFor({ state: 'detached' });
      approved.add(nodeId);
    }
    assert.deepEqual([...approved].toSorted(), [...listed.keys()].toSorted());
  });

  it('shows them as online, and their readings are stored', async () => {
    await count(page, '#wattmesh-approved .wm-status-online', DEVICES);
    assert.equal(await page.locator('#wattmesh-approved-count').innerText(), String(DEVICES));
    await untilAllReport('wm_demo_network');
    await takeScreenshot(page, 'editor-network-devices');
  });

  it('shows a name as it is', async () => {
    const [nodeId] = named('Flat 1');
    const row = await openRow(nodeId);
    assert.equal(await row.locator('.wm-name').innerText(), ODD_NAME);
    await row.getByRole('button', { name: 'Revoke' }).click();
    assert.ok((await row.locator('.wm-confirm').innerText()).includes(ODD_NAME));
    await row.locator('.wm-confirm').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await page.evaluate('window.wasRead'), undefined);
    assert.equal(await page.locator('#wattmesh-dialog img[src="x"]').count(), 0);
  });

  it("shows a device's label as digits and as a QR code that can be read", async () => {
    const [nodeId, { label, digits }] = named('Flat 2');
    const row = await openRow(nodeId);
    await row.locator('img.wm-qr[src]').waitFor();
    const picture = (await row.locator('img.wm-qr').getAttribute('src')) ?? '';
    const svg = decodeURIComponent(picture.slice(picture.indexOf(',') + 1));
    assert.equal(readQr(svg).text, label);
    assert.deepEqual(await row.locator('.wm-digit').allInnerTexts(), digits);
    await page.waitForFunction(`document.querySelector('#wattmesh-approved img.wm-qr').naturalWidth > 0`);
    await takeScreenshot(page, 'editor-network-label');
  });

  it('renames and revokes', async () => {
    const [nodeId] = named('Flat 3');
    const row = await openRow(nodeId);
    await row.getByRole('button', { name: 'Rename' }).click();
    await row.getByLabel('Name').fill('Third flat');
    await row.getByRole('button', { name: 'Save' }).click();
    await page.waitForFunction(`document.querySelector('[data-node="${nodeId}"] .wm-name').innerText === 'Third flat'`);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await row.locator('.wm-confirm').getByRole('button', { name: 'Revoke' }).click();
    await count(page, '#wattmesh-approved .wm-device', DEVICES - 1);
    await page.locator('#wattmesh-out-part summary').click();
    assert.match(await page.locator(`#wattmesh-out [data-node="${nodeId}"]`).innerText(), /Third flat[\s\S]*revoked/);
  });

  it('asks no more once it is closed', async () => {
    await closeDialogs(page);
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/devices')) asked++;
    });
    await page.waitForTimeout(3_000);
    assert.equal(asked, 0);
  });

  it('lets a pre-loaded list in without a click on approve, and tells which lines are of no use', async () => {
    const settings = { approval: 'operator', allowSuiteNone: false, version: 2, networkId: 'listed' };
    await nodeRed.deploy(demoFlowWith(settings, 'listed_'));
    await page.reload();
    await page.waitForSelector('[id="listed_wm_demo_readings"]');
    await openDevices('listed_wm_demo_network');
    await page.locator('#wattmesh-list-part summary').click();
    await page.locator('#wattmesh-fill-simulated').click();
    const list = page.locator('#wattmesh-list');
    await page.waitForFunction(`document.querySelector('#wattmesh-list').value.includes('WM1:')`);
    await list.fill(`${await list.inputValue()}WM1:<b>,Nobody,,\n`);
    await page.locator('#wattmesh-list-load').click();
    await page.getByText(`${DEVICES} devices have been let in; 1 lines cannot be used.`).waitFor();
    assert.match(await page.locator('#wattmesh-list-report').innerText(), /^Line 18: this is no label/);
    await count(page, '#wattmesh-approved .wm-status-online', DEVICES);
    await untilAllReport('listed_wm_demo_network');
    assert.equal(await page.locator('#wattmesh-pending .wm-card').count(), 0);
    const names = await page.locator('#wattmesh-approved .wm-name').allInnerTexts();
    assert.deepEqual(names.slice(0, 3), ['Flat 1', 'Flat 2', 'Flat 3'], 'numbers in names count as numbers');
    await takeScreenshot(page, 'editor-network-listed');
    await closeDialogs(page);
  });

  it('has no errors, failed requests or foreign hosts', () => {
    const refused = /status of 400/; // the browser notes the digits that were wrong on purpose
    assert.deepEqual(
      watched.troubles.filter((trouble) => !refused.test(trouble)),
      [],
    );
  });
});
