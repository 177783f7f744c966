import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { printFields } from '../../nodes/cli/print.ts';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { csvField, csvFields } from '../../nodes/headend/csv.ts';
import { readDeviceList } from '../../nodes/headend/preload.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { deviceList } from '../../nodes/wattmesh-network/device-list.ts';
import { Bench, ecc, NETWORK, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { type FlowNode, readDemoFlow } from '../support/demo-flow.ts';
import { FlowFunctions } from '../support/flow-functions.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';

/**
 * Attack 24: names that mean something to JavaScript, HTML or a spreadsheet, on their whole way. How the dashboard shows them is tested in a
 * browser (test/browser/dashboard.test.ts). The numbers are those of SECURITY.md.
 */

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '{{constructor.constructor("alert(1)")()}}',
  "=cmd|' /C calc'!A0",
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '"; DROP TABLE nodes; --',
  "'=1+1",
  '`$(id)`',
] as const;
/** Of those, what may be a metering point. */
const METERS = ['constructor', 'toString', 'hasOwnProperty'] as const;
const NOW_MS = new Date(2026, 0, 15, 12).getTime();

/** Prototypes that a careless assignment would change, and what they have. */
const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const properties = (): string[][] => prototypes.map((prototype) => Object.getOwnPropertyNames(prototype));

describe('attack 24: hostile names', () => {
  let clean: string[][];

  beforeEach(() => {
    // Not sooner: libraries that other tests load add to the prototypes too.
    clean = properties();
  });

  afterEach(() => assert.ok(isDeepStrictEqual(properties(), clean), 'a prototype was changed'));

  it('come through readings, status, topology and the list of devices as they were given', async () => {
    const bench = await Bench.started(secured({ approval: 'operator' }));
    const { headEnd } = bench;
    const told: unknown[] = [];
    for (const listen of [headEnd.onStatus, headEnd.onTopology, headEnd.onState, headEnd.onDevices]) {
      listen.call(headEnd, (message: unknown) => told.push(message));
    }
    const nodes = NAMES.map((name) => new ScriptedNode({ seed: name, security: ecc }));
    for (const [index, node] of nodes.entries()) {
      const name = NAMES[index] as string;
      const meter = METERS.find((each) => each === name);
      const approved = headEnd.devices.approve({ key: labelText(node.key), name, ...(meter ? { meter } : {}) });
      await bench.run(100);
      await approved;
      // A gateway may be called so too.
      await bench.joinAndSpeak(node, { gateway: meter ?? 'gw' });
      bench.up(node.up([node.readings(1, 1)]), { gateway: meter ?? 'gw', route: [node.shortId] });
    }
    await bench.run(2000);
    const ofReadings = bench.readings.map(({ payload }) => payload.name);
    assert.deepEqual(ofReadings, [...NAMES]);
    const meters = bench.readings.map(({ payload, topic }) => [payload.meter, topic]);
    for (const meter of METERS) assert.deepEqual(meters.find(([each]) => each === meter)?.[1], `${NETWORK}/${meter}`);
    const lists = [headEnd.status().payload.nodes, headEnd.topology().payload.nodes, headEnd.devices.list()];
    for (const list of lists) assert.deepEqual(new Set(list.map(({ name }) => name)), new Set(NAMES));
    assert.equal(headEnd.state().gateways, 1 + METERS.length);
    assert.deepEqual(headEnd.state().errors, {});
    for (const message of [...told, ...bench.readings]) {
      assert.deepEqual(JSON.parse(JSON.stringify(message)), message, 'every message is JSON');
    }
    assert.deepEqual(bench.problems, []);
  });

  it('are nothing else than names to the functions of the demo', () => {
    const demo = new FlowFunctions(readDemoFlow(), NOW_MS);
    const everyone = [...NAMES, 'meter-1'];
    for (const [index, name] of everyone.entries()) {
      const payload = {
        meter: name,
        name,
        measuredAt: new Date(NOW_MS).toISOString(),
        interval_s: 60,
        power_w: 100,
        energy_import_kwh: index,
      };
      for (const each of ['newest power and its curve', "today's first and last register", 'count stored readings']) {
        demo.run(each, payload, { late: false, redelivered: false });
      }
    }
    const nodes = everyone.map((name) => ({ nodeId: name, name, role: 'meter', status: 'online' }));
    const links = everyone.map((name) => ({ from: name, to: 'gw', rssi_dbm: -70 }));
    demo.run('count who is online', { nodes });
    demo.run('keep the links', { links });
    const signals = demo.run("add each node's own signal", { nodes })?.payload as unknown as {
      nodes: { nodeId: string; signal_dbm: number }[];
    };
    assert.ok(signals.nodes.every(({ signal_dbm }) => signal_dbm === -70));
    const list = demo.run('meters in order', null)?.payload as unknown as { id: string; name: string }[];
    // No metering point can be called __proto__: the head-end refuses that.
    const shown = everyone.filter((name) => name !== '__proto__');
    assert.deepEqual(new Set(list.map(({ id }) => id)), new Set(shown));
    assert.ok(list.every(({ id, name }) => id === name));
    const tiles = demo.run('header figures', list)?.payload as unknown as { total_w: number; stored: number };
    assert.deepEqual([tiles.total_w, tiles.stored], [100 * shown.length, everyone.length]);
    const curves = demo.run('curves on common times', list)?.payload as unknown as { series: { name: string }[] };
    assert.equal(curves.series.length, shown.length);
  });

  it('are put into no page as HTML: the templates of all flows escape what they show', () => {
    const flows = projectFiles().filter((file) => /^(flows|examples)\/.*\.json$/.test(file));
    const templates = flows
      .flatMap((file) => JSON.parse(readProjectFile(file)) as FlowNode[])
      .filter(({ type }) => type === 'ui-template')
      .map(({ format }) => String(format));
    assert.ok(templates.length > 3);
    for (const template of templates) {
      assert.doesNotMatch(template, /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\{\{\{|eval\(/);
    }
  });

  it('are read from a list of devices as they stand, whatever a spreadsheet makes of them', () => {
    const keys = NAMES.map((name) => new ScriptedNode({ seed: name }).key);
    const text = deviceList(
      NAMES.map((name, index) => ({ name, publicKey: keys[index] as Uint8Array, localHubId: 0 })),
    );
    const { devices, faults } = readDeviceList(text);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      devices.map(({ name, key }) => [name, fromHex(key)]),
      NAMES.map((name, index) => [name, keys[index]]),
    );
    const fields = text
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(',')[1] ?? '');
    for (const field of fields) assert.doesNotMatch(field, /^"?[=+\-@]/, 'no field begins like a formula');
    for (const name of [...NAMES, 'a,b', '"', '', "'", "''=", "'quoted'", ' ']) {
      assert.deepEqual(csvFields(`${csvField(name)},x`), [name, 'x']);
    }
  });

  it('of columns and keys of a list are refused, not obeyed', () => {
    const { devices, faults } = readDeviceList(
      ['__proto__,constructor,1,', 'key,__proto__,,', `${'0'.repeat(64)},=cmd(),__proto__,`, '"unfinished'].join('\n'),
    );
    assert.deepEqual([devices.length, faults.length], [0, 4]);
  });

  it('begin no other line in a log and give no terminal an order, also in what a gateway says', async () => {
    const text = 'NV failed\n[error] all is lost\u001b[2J\u2028\u0007';
    const bench = await Bench.started();
    bench.hello();
    bench.link.deliver('gw', { type: 'log', level: 'error', text });
    const warning = bench.headEnd.state().warnings.find((line) => line.includes('NV failed'));
    assert.equal(warning, 'gateway gw: NV failed?[error] all is lost?[2J??');
    assert.deepEqual(printFields({ text }, 0), ['text                 NV failed?[error] all is lost?[2J??']);
  });
});
