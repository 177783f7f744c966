import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { BROWSER, openPage, startBrowser, takeScreenshot, type WatchedPage } from '../support/browser.ts';
import { type FlowNode, readDemoFlow } from '../support/demo-flow.ts';
import { closeDialogs, openNetworkOf, openTab } from '../support/network-dialog.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { readQr } from '../support/qr-reader.ts';
import { projectFiles } from '../support/sources.ts';
import { needTool } from '../support/tools.ts';

const TYPES = ['wattmesh-readings', 'wattmesh-decode', 'wattmesh-status', 'wattmesh-topology', 'wattmesh-command'];
const READINGS = 'wm_demo_readings';
const NETWORK = 'wm_demo_network';
const PASSPHRASE = 'twelve meters in one house';
const COMMAND = { id: 'editor_command', type: 'wattmesh-command', z: 'wm_demo_tab', x: 640, y: 40, network: NETWORK };
/** Fields of the command's dialog by operation, beside those that it always has. */
const COMMAND_FIELDS: Record<string, string[]> = {
  '': ['meter', 'timeoutS'],
  pollNow: ['meter', 'timeoutS'],
  setInterval: ['meter', 'intervalS', 'pollCycleS', 'timeoutS'],
  identify: ['meter', 'seconds', 'timeoutS'],
  relay: ['meter', 'relay', 'timeoutS'],
  rename: ['meter'],
  approve: [],
};
const COMMAND_FIELDS_OF_ALL = ['name', 'operation'];
/** Fields that the network's dialog shows for a connection only, by tab, beside those that it always has. */
const CONNECTION_FIELDS: Record<string, string[]> = {
  simulated: ['layout', 'seed'],
  serial: ['port', 'baudRate'],
  mqtt: ['broker', 'brokerPort', 'tls', 'user', 'password'],
  flow: [],
};
const CONNECTION_FIELDS_OF_ALL = ['name', 'connection', 'networkId', 'store'];
/** Those of a network with devices that somebody could bring. */
const KEY_FIELDS = ['networkKey', 'allowRsa'];
const POLICY_FIELDS = ['approval', 'allowSuiteNone'];

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

function openNetwork(page: Page): Promise<void> {
  return openNetworkOf(page, READINGS);
}

/** What the dialog says of the network's keys: set, fresh, missing or old. */
function keysState(page: Page): Promise<string | null> {
  return page.locator('#wattmesh-keys-state').getAttribute('data-state');
}

/** The label of the head-end's public key once it is shown and is another one than before. */
async function nextLabel(page: Page, before = ''): Promise<string> {
  await page.waitForFunction(
    `(() => { const text = document.querySelector('#wattmesh-public code')?.textContent;
      return text && text !== ${JSON.stringify(before)} && document.querySelector('#wattmesh-public img[src]'); })()`,
  );
  return page.locator('#wattmesh-public code').innerText();
}

/** A notice may still be there from an earlier time: only the answer tells that this one is done. */
async function deploy(page: Page): Promise<void> {
  const answered = page.waitForResponse(
    (response) => response.request().method() === 'POST' && new URL(response.url()).pathname === '/flows',
  );
  await page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
  assert.ok((await answered).ok());
  await page.getByText('Successfully deployed').first().waitFor();
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
      flows: [...readDemoFlow(), { ...COMMAND, wires: [[], []] }],
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
    for (const [connection, fields] of Object.entries(CONNECTION_FIELDS)) {
      await openTab(page, 'connection');
      await page.locator('#node-config-input-connection').selectOption(connection);
      const wanted = [...CONNECTION_FIELDS_OF_ALL, ...fields].toSorted();
      assert.deepEqual((await visibleFields(page)).toSorted(), wanted, connection);
      await takeScreenshot(page, `editor-network-${connection}`);
      await openTab(page, 'security');
      const keyFields = [...POLICY_FIELDS, ...(connection === 'simulated' ? [] : KEY_FIELDS)].toSorted();
      assert.deepEqual((await visibleFields(page)).toSorted(), keyFields, connection);
      for (const fold of await page.locator('#wattmesh-tab-security summary:visible').all()) await fold.click();
      const text = await page.locator('#red-ui-editor-stack').innerText();
      assert.doesNotMatch(text, /\{\{|__\w+__|wattmesh-network\.\w/, 'a text is missing or has an empty place');
      await takeScreenshot(page, `editor-network-security-${connection}`);
      for (const fold of await page.locator('#wattmesh-tab-security summary:visible').all()) await fold.click();
    }
    await openTab(page, 'connection');
    await page.locator('#node-config-input-store').selectOption('file');
    assert.ok((await visibleFields(page)).includes('storeFile'));
  });

  it('makes keys on request, others each time, and shows the public one as a QR code', async () => {
    await openNetwork(page);
    await page.locator('#node-config-input-connection').selectOption('serial');
    await openTab(page, 'security');
    assert.equal(await keysState(page), 'missing');
    const labels: string[] = [];
    for (let round = 0; round < 2; round++) {
      await page.locator('#wattmesh-keys-new').click();
      labels.push(await nextLabel(page, labels.at(-1)));
      assert.equal(await keysState(page), 'fresh');
    }
    const picture = (await page.locator('#wattmesh-public img[src]').getAttribute('src')) ?? '';
    assert.equal(readQr(decodeURIComponent(picture.slice(picture.indexOf(',') + 1))).text, labels[1]);
    assert.match(await page.locator('#node-config-input-networkKey').inputValue(), /^[0-9a-f]{32}$/);
    await page.locator('#node-config-input-allowRsa').check();
    await page.locator('#wattmesh-rsa-new').click();
    await page.getByText('There is an RSA key.').waitFor();
    assert.equal(await nextLabel(page), labels[1], 'the identity is the same');
  });

  it('gives a new network an id and keys, and has nobody approve simulated devices', async () => {
    await openReadings(page);
    await page.locator('#node-input-btn-network-add').click();
    await page.waitForFunction(`/^wm-[0-9a-f]{8}$/.test($('#node-config-input-networkId').val() ?? '')`);
    assert.match(await page.locator('#node-config-input-networkKey').inputValue(), /^[0-9a-f]{32}$/);
    const approval = page.locator('#node-config-input-approval');
    assert.equal(await approval.inputValue(), 'everyone');
    assert.equal(await page.locator('#node-config-input-allowSuiteNone').isChecked(), false);
    await page.locator('#node-config-input-connection').selectOption('mqtt');
    assert.equal(await approval.inputValue(), 'operator');
    await openTab(page, 'devices');
    await page.getByText('Deploy this network first').waitFor();
  });

  it('opens a command, shows the fields of the chosen operation only, and completes the meter', async () => {
    await page.waitForFunction(`$.getJSON('wattmesh/networks/${NETWORK}/meters').then((list) => list.length === 12)`);
    await page.locator(`[id="${COMMAND.id}"]`).dblclick();
    const operation = page.locator('#node-input-operation');
    await operation.waitFor();
    for (const [chosen, fields] of Object.entries(COMMAND_FIELDS)) {
      await operation.selectOption(chosen);
      const shown = await page.evaluate<string[]>(`[...document.querySelectorAll('#dialog-form .form-row')]
        .filter((row) => row.offsetParent !== null)
        .map((row) => row.querySelector('[id^=node-input-]').id.replace('node-input-', ''))`);
      assert.deepEqual(shown.toSorted(), [...COMMAND_FIELDS_OF_ALL, 'network', ...fields].toSorted(), chosen);
      const tip = await page.locator('#wattmesh-command-tip').innerText();
      assert.ok(tip.length > 30 && !tip.includes('wattmesh-command.'), `${chosen}: ${tip}`);
    }
    await operation.selectOption('relay');
    const meter = page.locator('.red-ui-typedInput-container input:visible');
    await meter.click();
    await meter.pressSequentially('flat 12');
    await page.locator('.red-ui-autoComplete-container', { hasText: 'Flat 12' }).waitFor();
    await takeScreenshot(page, 'editor-command');
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
    await deploy(page);
    const answer = await fetch(`${nodeRed.url}/flows`);
    const flows = (await answer.json()) as FlowNode[];
    assert.equal(flows.find(({ id }) => id === READINGS)?.name, 'every reading');
    assert.equal(flows.find(({ id }) => id === NETWORK)?.connection, 'simulated');
  });

  it('keeps keys in the credentials, and restores them from a recovery file', async () => {
    await openNetwork(page);
    await page.locator('#node-config-input-connection').selectOption('flow');
    await openTab(page, 'security');
    await page.locator('#wattmesh-keys-new').click();
    const label = await nextLabel(page);
    const secrets = await page.evaluate<string[]>(
      `['networkKey', 'identity', 'storeKey'].map((name) => $('#node-config-input-' + name).val())`,
    );
    await page.locator('#wattmesh-recovery-save-part summary').click();
    await page.locator('#wattmesh-passphrase').fill(PASSPHRASE);
    await page.locator('#wattmesh-passphrase-again').fill('something else');
    await page.locator('#wattmesh-recovery-save').click();
    await page.getByText('The two passphrases differ').waitFor();
    await page.locator('#wattmesh-passphrase-again').fill(PASSPHRASE);
    const [saved] = await Promise.all([page.waitForEvent('download'), page.locator('#wattmesh-recovery-save').click()]);
    const file = await saved.path();
    for (const secret of secrets) assert.ok(!readFileSync(file, 'utf8').includes(secret), 'the file tells a secret');
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-dialog-ok').click();
    await deploy(page);
    const flows = await (await fetch(`${nodeRed.url}/flows`)).text();
    for (const secret of secrets) assert.ok(!flows.includes(secret), 'the flow tells a secret');

    await page.reload();
    await openNetwork(page);
    await openTab(page, 'security');
    assert.equal(await keysState(page), 'set');
    assert.equal(await nextLabel(page), label);
    await page.locator('#wattmesh-keys-new').click();
    await page.locator('.wm-confirm').getByText('join anew').waitFor();
    await takeScreenshot(page, 'editor-network-new-keys');
    await page.locator('.wm-confirm').getByRole('button', { name: 'Make new keys' }).click();
    await nextLabel(page, label);

    await page.locator('#wattmesh-recovery-read-part summary').click();
    await page.locator('#wattmesh-recovery-file + input[type=file]').setInputFiles(file);
    await page.locator('#wattmesh-restore-passphrase').fill('not the passphrase');
    await page.locator('#wattmesh-recovery-read').click();
    await page.locator('#wattmesh-restore-message.wm-bad').waitFor();
    await page.locator('#wattmesh-restore-passphrase').fill(PASSPHRASE);
    await page.locator('#wattmesh-recovery-read').click();
    await page.locator('#wattmesh-restore-message.wm-good').waitFor();
    await page.waitForFunction(
      `document.querySelector('#wattmesh-public code')?.textContent === ${JSON.stringify(label)}`,
    );
    assert.deepEqual(
      await page.evaluate(
        `['networkKey', 'identity', 'storeKey'].map((name) => $('#node-config-input-' + name).val())`,
      ),
      secrets,
    );
  });

  it('has no errors, failed requests or foreign hosts', () => {
    const refused = /status of 400/; // the browser notes the passphrase that was wrong on purpose
    assert.deepEqual(
      watched.troubles.filter((trouble) => !refused.test(trouble)),
      [],
    );
  });
});
