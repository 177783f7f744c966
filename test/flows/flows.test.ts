import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRedVersion, type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';

const START_TIMEOUT_MS = 30_000;
const MESSAGE_TIMEOUT_MS = 45_000;
const POLL_MS = 200;
/** Debug nodes that nothing reaches while all is well. */
const RARE = ['late', 'no result in time'];

interface FlowNode {
  id: string;
  type: string;
  z?: string;
  name?: string;
  network?: string;
  networkId?: string;
  connection?: string;
  version?: number;
  credentials?: object;
  wires?: string[][];
}

const examples = projectFiles().filter((file) => /^examples\/[^/]+\.json$/.test(file));
const flows = projectFiles().filter((file) => /^flows\/[^/]+\.json$/.test(file));
const read = (file: string): FlowNode[] => JSON.parse(readProjectFile(file)) as FlowNode[];
const isOurs = (node: FlowNode): boolean => node.type.startsWith('wattmesh-');

describe('examples and flows, as files', () => {
  it('exist', () => {
    assert.ok(examples.length >= 4, 'an example for each node that is no config node');
  });

  for (const file of [...examples, ...flows]) {
    it(`${file}: every node is wired to nodes, and every tap to a network, of the flow`, () => {
      const nodes = read(file);
      const byId = new Map(nodes.map((node) => [node.id, node]));
      assert.equal(byId.size, nodes.length, 'an id stands twice');
      for (const node of nodes) {
        for (const target of (node.wires ?? []).flat()) assert.ok(byId.has(target), `${node.id} is wired to ${target}`);
        const version = node.type === 'wattmesh-network' ? 2 : 1;
        if (isOurs(node))
          assert.equal(node.version, version, `${node.id}: its settings are not of the present version`);
        if (isOurs(node) && node.type !== 'wattmesh-network') {
          assert.equal(byId.get(node.network ?? '')?.type, 'wattmesh-network', `${node.id} has no network`);
        }
      }
    });
  }

  it('explain themselves, and hold no secret but the made-up keys of the one that no simulation feeds', () => {
    for (const file of examples) {
      const nodes = read(file);
      assert.ok(
        nodes.some((node) => node.type === 'comment'),
        `${file}: no comment`,
      );
      for (const node of nodes.filter((each) => each.credentials !== undefined)) {
        assert.equal(node.connection, 'flow', `${file}: ${node.id}`);
        const { networkKey, identity, storeKey, ...others } = node.credentials as Record<string, string>;
        assert.deepEqual(others, {});
        const regular = [networkKey, storeKey, (JSON.parse(identity ?? '{}') as { secret?: string }).secret].map(
          stepOf,
        );
        assert.deepEqual(regular, [1, 1, 0], `${file}: ${node.id} has keys that look real`);
      }
    }
  });

  it('can all be imported into one Node-RED: no id and no network id stands in two of them', () => {
    const all = [...examples, ...flows].flatMap(read);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    const networkIds = all.filter((node) => node.type === 'wattmesh-network').map(({ networkId }) => networkId);
    assert.equal(new Set(networkIds).size, networkIds.length, networkIds.join());
  });
});

/** The step by which each byte of a made-up key differs from the one before; undefined where it is not the same throughout. */
function stepOf(hex = ''): number | undefined {
  const bytes = [...Buffer.from(hex, 'hex')];
  const steps = new Set(bytes.slice(1).map((byte, index) => byte - (bytes[index] as number)));
  return steps.size === 1 ? [...steps][0] : undefined;
}

/** The flow with its debug nodes replaced by functions that keep what they get where the admin interface can read it. */
function withProbes(nodes: FlowNode[]): FlowNode[] {
  return nodes.map((node) => {
    if (node.type !== 'debug') return node;
    const probe = { ...node, type: 'function', func: `flow.set('${node.id}', msg.payload);`, outputs: 0, libs: [] };
    return probe as FlowNode;
  });
}

describe(`examples and flows in Node-RED ${nodeRedVersion()}`, function () {
  this.timeout(120_000);
  let nodeRed: RunningNodeRed;

  before(async () => {
    nodeRed = await startNodeRed();
  });
  after(() => nodeRed?.stop());

  /** Deploys, and fails where a node type is missing or the flow does not start. */
  async function start(nodes: FlowNode[]): Promise<string> {
    const before = nodeRed.output().length;
    const fresh = (): string => nodeRed.output().slice(before);
    await nodeRed.deploy(nodes);
    await until('the flow to start', START_TIMEOUT_MS, async () =>
      /Started flows|Waiting for missing types/.test(fresh()),
    );
    assert.doesNotMatch(fresh(), /Waiting for missing types/);
    return fresh();
  }

  /** Flows that do nothing by themselves catch their errors: the network may not run yet. */
  async function pressButtons(nodes: FlowNode[]): Promise<void> {
    if (!nodes.some(({ type }) => type === 'catch')) return;
    for (const { id } of nodes.filter(({ type }) => type === 'inject')) {
      await fetch(`${nodeRed.url}/inject/${id}`, { method: 'POST' });
    }
  }

  async function until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}\n${nodeRed.output().slice(-3000)}`);
      await delay(POLL_MS);
    }
  }

  for (const file of examples) {
    it(`${file} runs: something reaches each of its debug nodes, by itself or when its buttons are pressed`, async () => {
      const nodes = read(file);
      await start(withProbes(nodes));
      for (const probe of nodes.filter((node) => node.type === 'debug' && !RARE.includes(node.name ?? ''))) {
        await until(`a message at "${probe.name}"`, MESSAGE_TIMEOUT_MS, async () => {
          await pressButtons(nodes);
          const answer = await fetch(`${nodeRed.url}/context/flow/${probe.z}/${probe.id}`);
          return ((await answer.json()) as { format: string }).format !== 'undefined';
        });
      }
      assert.doesNotMatch(nodeRed.output(), /\[error\]/);
    });
  }

  for (const file of flows) {
    it(`${file} loads without a missing type and without an error`, async () => {
      assert.doesNotMatch(await start(read(file)), /\[error\]/);
    });
  }
});
