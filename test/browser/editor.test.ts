import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { BROWSER, openPage, startBrowser, takeScreenshot, type WatchedPage } from '../support/browser.ts';
import { type FlowNode, readDemoFlow } from '../support/demo-flow.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { projectFiles } from '../support/sources.ts';
import { needTool } from '../support/tools.ts';

const TYPES = ['wattmesh-readings', 'wattmesh-decode', 'wattmesh-status', 'wattmesh-topology'];
const READINGS = 'wm_demo_readings';
const NETWORK = 'wm_demo_network';
/** Fields of the network's dialog beside those that it always has. */
const FIELDS: Record<string, string[]> = {
  simulated: ['layout', 'seed'],
  serial: ['port', 'baudRate', 'networkKey'],
  mqtt: ['broker', 'brokerPort', 'tls', 'user', 'password', 'networkKey'],
  flow: ['networkKey'],
};
const FIELDS_OF_ALL = ['name', 'connection', 'networkId', 'store', 'allowSuiteNone'];

/** The short names of the fields that the open network dialog shows. */
function visibleFields(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('[id^=node-config-input-]')]
    .filter((field) => field.offsetParent !== null && field.tagName !== 'BUTTON' && !field.matches('a'))
    .map((field) => field.id.replace('node-config-input-', ''))`);
}

async function openReadings(page: Page): Promise<void> {
  await page.locator(`[id="${READINGS}"]`).dblclick();
  await page.waitForSelector('#node-input-meters');
}

async function openNetwork(page: Page): Promise<void> {
  await openReadings(page);
  await page.locator('#node-input-btn-network-edit').click();
  await page.waitForSelector('#node-config-input-connection');
}

/** Closes all open dialogs without saving, so that the next test begins at the workspace. */
async function closeDialogs(page: Page): Promise<void> {
  for (const cancel of ['#node-config-dialog-cancel', '#node-dialog-cancel']) {
    const button = page.locator(cancel);
    if ((await button.count()) > 0) await button.click();
    await button.waitFor({ state: 'detached' });
  }
}

describe('editor', function () {
  this.timeout(180_000);
  let nodeRed: RunningNodeRed;
  let browser: Browser | undefined;
  let watched: WatchedPage;
  let page: Page;

  before(async function () {
    if (!needTool(this, BROWSER)) return;
    // Without the palette manager the editor asks for no catalogue on another host.
    const editorTheme = { tours: false, projects: { enabled: false }, palette: { editable: false } };
    nodeRed = await startNodeRed({
      flows: readDemoFlow(),
      settings: { editorTheme, externalModules: { palette: { allowInstall: false } } },
    });
    browser = await startBrowser();
    watched = await openPage(browser, nodeRed.url, { viewport: { width: 1500, height: 1000 } });
    page = watched.page;
    await page.waitForSelector(`[id="${READINGS}"]`);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  afterEach(() => closeDialogs(page));

  it('shows the nodes in a category of their own, with icons', async () => {
    const nodes = page.locator('#red-ui-palette-base-category-wattmesh .red-ui-palette-node');
    await nodes.first().waitFor();
    const types = await nodes.evaluateAll<(string | null)[], { getAttribute(name: string): string | null }>((all) =>
      all.map((node) => node.getAttribute('data-palette-type')),
    );
    assert.deepEqual(types.toSorted(), TYPES.toSorted());
    for (const type of TYPES) {
      const icon = await page.evaluate<string>(
        `getComputedStyle(document.querySelector('[data-palette-type=${type}] .red-ui-palette-icon')).backgroundImage`,
      );
      const address = /url\("(.+)"\)/.exec(icon)?.[1] ?? '';
      assert.match(address, new RegExp(`${type}\\.svg$`));
      const answer = await fetch(address);
      assert.equal(answer.status, 200, address);
      assert.match(await answer.text(), /<svg/);
    }
    await takeScreenshot(page, 'editor');
  });

  it('has help for every node', async () => {
    for (const type of [...TYPES, 'wattmesh-network']) {
      await page.evaluate(`RED.sidebar.help.show('${type}')`);
      const help = page.locator('.red-ui-sidebar-help-stack .red-ui-help').first();
      await help.waitFor();
      const text = await help.innerText();
      assert.ok(text.length > 200, `${type} says only: ${text}`);
      if (type !== 'wattmesh-network') assert.match(text, /Outputs/i, type);
    }
    await takeScreenshot(page, 'editor-help');
  });

  it('shows the demo with running nodes', async () => {
    await page.waitForFunction(
      `/online/.test(document.querySelector('[id="wm_demo_status"] .red-ui-flow-node-status-label')?.textContent ?? '')`,
    );
    assert.equal(await page.locator('.red-ui-flow-node-error:visible').count(), 0, 'a node is marked as badly set up');
  });

  it('opens the network, and shows the fields of the chosen connection only', async () => {
    await openNetwork(page);
    for (const [connection, fields] of Object.entries(FIELDS)) {
      await page.locator('#node-config-input-connection').selectOption(connection);
      assert.deepEqual((await visibleFields(page)).toSorted(), [...FIELDS_OF_ALL, ...fields].toSorted(), connection);
      const text = await page.locator('#red-ui-editor-stack').innerText();
      assert.doesNotMatch(text, /\{\{|__\w+__|wattmesh-network\.\w/, 'a text is missing or has an empty place');
      await takeScreenshot(page, `editor-network-${connection}`);
    }
    await page.locator('#node-config-input-store').selectOption('file');
    assert.ok((await visibleFields(page)).includes('storeFile'));
  });

  it('makes a key on request, another one each time', async () => {
    await openNetwork(page);
    await page.locator('#node-config-input-connection').selectOption('serial');
    const key = page.locator('#node-config-input-networkKey');
    const keys: string[] = [];
    for (let round = 0; round < 2; round++) {
      const before = await key.inputValue();
      await page.locator('#wattmesh-key-new').click();
      await page.waitForFunction(
        `(() => { const key = $('#node-config-input-networkKey').val(); return /^[0-9a-f]{32}$/.test(key) && key !== '${before}'; })()`,
      );
      keys.push(await key.inputValue());
    }
    assert.notEqual(keys[0], keys[1]);
    assert.equal(await key.getAttribute('type'), 'text', 'a new key can be read and copied');
  });

  it('gives a new network an id and a key', async () => {
    await openReadings(page);
    await page.locator('#node-input-btn-network-add').click();
    await page.waitForFunction(`/^wm-[0-9a-f]{8}$/.test($('#node-config-input-networkId').val() ?? '')`);
    assert.match(await page.locator('#node-config-input-networkKey').inputValue(), /^[0-9a-f]{32}$/);
  });

  it('offers the examples and the dashboards for import', async () => {
    await page.evaluate(`RED.actions.invoke('core:show-examples-import-dialog')`);
    const tree = page.locator('#red-ui-clipboard-dialog .red-ui-treeList-label');
    await tree.filter({ hasText: '@wattmesh/node-red' }).first().click();
    await tree.filter({ hasText: 'Dashboards' }).first().waitFor();
    const examples = projectFiles().filter((file) => /^examples\/[^/]+\.json$/.test(file));
    const labels = (await tree.allInnerTexts()).map((label) => label.trim());
    for (const example of examples) {
      const name = example.replace('examples/', '').replace('.json', '');
      assert.ok(labels.includes(name), `${name} is not offered: ${labels}`);
    }
    await tree.filter({ hasText: 'Dashboards' }).first().click();
    await tree
      .filter({ hasText: /^\s*demo\s*$/ })
      .first()
      .waitFor();
    await takeScreenshot(page, 'editor-import');
    await page.locator('.ui-dialog:visible button', { hasText: 'Cancel' }).click();
  });

  it('deploys what was changed', async () => {
    await openReadings(page);
    await page.locator('#node-input-name').fill('every reading');
    await page.locator('#node-dialog-ok').click();
    await page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    await page.getByText('Successfully deployed').waitFor();
    const answer = await fetch(`${nodeRed.url}/flows`);
    const flows = (await answer.json()) as FlowNode[];
    assert.equal(flows.find(({ id }) => id === READINGS)?.name, 'every reading');
    assert.equal(flows.find(({ id }) => id === NETWORK)?.connection, 'simulated');
  });

  it('has no errors, failed requests or foreign hosts', () => {
    assert.deepEqual(watched.troubles, []);
  });
});
