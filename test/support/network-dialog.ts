import type { Page } from 'playwright-core';

/** Tabs of the network's dialog. */
export type NetworkTab = 'connection' | 'security' | 'devices' | 'names';

/** Opens the dialog of a node on the workspace, and from it that of its network. */
export async function openNetworkOf(page: Page, nodeId: string): Promise<void> {
  await page.locator(`[id="${nodeId}"]`).dblclick();
  await page.locator('#node-input-btn-network-edit').click();
  await page.waitForSelector('#node-config-input-connection');
}

/** Shows a tab. The editor takes two quick clicks on tabs for a double click and does nothing: it is clicked until it shows. */
export async function openTab(page: Page, tab: NetworkTab): Promise<void> {
  const content = page.locator(`#wattmesh-tab-${tab}`);
  const link = page.locator(`#wattmesh-tabs a[href="#wattmesh-tab-${tab}"]`);
  while (!(await content.isVisible())) {
    await link.click();
    await content.waitFor({ state: 'visible', timeout: 500 }).catch(() => undefined); // it was taken for a double click
  }
}

/** Closes all open dialogs without saving, so that the next test begins at the workspace. */
export async function closeDialogs(page: Page): Promise<void> {
  for (const cancel of ['#node-config-dialog-cancel', '#node-dialog-cancel']) {
    const button = page.locator(cancel);
    if ((await button.count()) > 0) await button.click();
    await button.waitFor({ state: 'detached' });
  }
}
