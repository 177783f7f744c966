import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRedVersion, type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { npmPack, readManifest } from '../support/package.ts';

const INSTALL_TIMEOUT_MS = 300_000;
const READING_TIMEOUT_MS = 60_000;
const POLL_MS = 250;

interface NodeSet {
  id: string;
  name: string;
  types: string[];
  enabled: boolean;
  err?: string;
}

/** A simulated network and a tap that keeps the latest message where the admin interface can read it. */
const SIMULATED_FLOW = [
  { id: 'tab', type: 'tab', label: 'simulated' },
  { id: 'net', type: 'wattmesh-network', name: 'simulated', connection: 'simulated' },
  { id: 'readings', type: 'wattmesh-readings', z: 'tab', network: 'net', wires: [['keep'], ['keep']] },
  { id: 'keep', type: 'function', z: 'tab', func: "flow.set('last', msg);", outputs: 0, wires: [] },
];

async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  assert.equal(answer.status, 200, url);
  return (await answer.json()) as T;
}

async function upload(nodeRed: RunningNodeRed, tarball: string): Promise<void> {
  const form = new FormData();
  form.set('tarball', new Blob([readFileSync(tarball)], { type: 'application/gzip' }), 'wattmesh.tgz');
  const answer = await fetch(`${nodeRed.url}/nodes`, { method: 'POST', body: form });
  assert.equal(answer.status, 200, `${await answer.text()}\n${nodeRed.output()}`);
}

describe(`tarball uploaded into a fresh Node-RED ${nodeRedVersion()}`, function () {
  this.timeout(INSTALL_TIMEOUT_MS);
  const manifest = readManifest();
  let folder: string;
  let nodeRed: RunningNodeRed;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-tarball-'));
    const { filename } = npmPack('--pack-destination', folder);
    nodeRed = await startNodeRed({ withPackage: false });
    await upload(nodeRed, join(folder, filename));
  });

  after(async () => {
    await nodeRed?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('loads every node', async () => {
    const sets = await getJson<NodeSet[]>(`${nodeRed.url}/nodes`);
    const ours = sets.filter((set) => set.id.startsWith(`${manifest.name}/`));
    assert.deepEqual(ours.map((set) => set.name).sort(), Object.keys(manifest['node-red'].nodes).sort());
    for (const set of ours) assert.ok(set.enabled && set.err === undefined, `${set.id}: ${set.err}`);
  });

  it('serves templates and help', async () => {
    const html = await (await fetch(`${nodeRed.url}/nodes`, { headers: { accept: 'text/html' } })).text();
    for (const type of Object.keys(manifest['node-red'].nodes)) {
      assert.ok(html.includes(`data-template-name="${type}"`), `${type}: no template`);
      assert.ok(html.includes(`data-help-name="${type}"`), `${type}: no help`);
    }
  });

  it('serves its icons', async () => {
    const icons = (await getJson<Record<string, string[]>>(`${nodeRed.url}/icons`))[manifest.name] ?? [];
    assert.ok(icons.length > 0, 'no icon is offered');
    for (const icon of icons) {
      const answer = await fetch(`${nodeRed.url}/icons/${manifest.name}/${icon}`);
      assert.match(await answer.text(), /<svg/, icon);
    }
  });

  it('offers its examples and flows for import', async () => {
    const library = `${nodeRed.url}/library/examples/flows/${manifest.name}`;
    const entries = await getJson<(string | { fn: string })[]>(library);
    assert.ok(entries.includes('Dashboards'), JSON.stringify(entries));
    const example = entries.find((entry) => typeof entry !== 'string');
    assert.ok(example, JSON.stringify(entries));
    const flow = await getJson<{ type: string }[]>(`${library}/${encodeURIComponent(example.fn)}`);
    assert.ok(flow.some((node) => node.type.startsWith('wattmesh-')));
  });

  it('runs a simulated mesh whose readings arrive', async () => {
    await nodeRed.deploy(SIMULATED_FLOW);
    const deadline = Date.now() + READING_TIMEOUT_MS;
    // Before the first reading the context answers with the format "undefined".
    let last: { msg?: string; format?: string } = {};
    while ((last.msg === undefined || last.format === 'undefined') && Date.now() < deadline) {
      await delay(POLL_MS);
      last = await getJson(`${nodeRed.url}/context/flow/tab/last`);
    }
    assert.ok(last.msg, `no reading within ${READING_TIMEOUT_MS} ms\n${nodeRed.output()}`);
    const message = JSON.parse(last.msg) as { payload: { meter?: string; power_w?: number } };
    assert.equal(typeof message.payload.meter, 'string');
    assert.equal(typeof message.payload.power_w, 'number');
  });
});
