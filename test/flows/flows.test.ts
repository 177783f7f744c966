import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRedVersion, type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { projectFiles, readProjectFile } from '../support/sources.ts';

const START_TIMEOUT_MS = 30_000;
const MESSAGE_TIMEOUT_MS = 45_000;
const POLL_MS = 200;

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
        if (isOurs(node)) assert.equal(node.version, 1, `${node.id}: its settings name no version`);
        if (isOurs(node) && node.type !== 'wattmesh-network') {
          assert.equal(byId.get(node.network ?? '')?.type, 'wattmesh-network', `${node.id} has no network`);
        }
      }
    });
  }

  it('explain themselves, and hold no secret but the made-up key of the one that no simulation feeds', () => {
    for (const file of examples) {
      const nodes = read(file);
      assert.ok(
        nodes.some((node) => node.type === 'comment'),
        `${file}: no comment`,
      );
      for (const node of nodes.filter((each) => each.credentials !== undefined)) {
        assert.deepEqual(
          [node.connection, node.credentials],
          ['flow', { networkKey: '000102030405060708090a0b0c0d0e0f' }],
          `${file}: ${node.id}`,
        );
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

  async function until(what: string, timeoutMs: number, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}\n${nodeRed.output().slice(-3000)}`);
      await delay(POLL_MS);
    }
  }

  for (const file of examples) {
    it(`${file} runs by itself: something reaches each of its debug nodes but the one for late rows`, async () => {
      const nodes = read(file);
      await start(withProbes(nodes));
      for (const probe of nodes.filter((node) => node.type === 'debug' && node.name !== 'late')) {
        await until(`a message at "${probe.name}"`, MESSAGE_TIMEOUT_MS, async () => {
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
