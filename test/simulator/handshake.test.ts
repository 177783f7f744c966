import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import type { DeviceSecurity } from '../../firmware/simulator/device-config.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { World } from '../../firmware/simulator/world.ts';
import { ManualClock } from '../../nodes/headend/clock.ts';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { SUITE_ECC, SUITE_RSA } from '../../nodes/headend/frame/packet.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nobleProvider } from '../../nodes/headend/security/provider-noble.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import type { SuiteEngine } from '../../nodes/headend/security/suite.ts';
import { eccEngine } from '../../nodes/headend/security/suite-ecc.ts';
import { rsaEngine } from '../../nodes/headend/security/suite-rsa.ts';
import { bytes, projectVectors, type SuiteVectors } from '../headend/support/security-vectors.ts';
import { HandshakePeer, type Peer } from './handshake-peer.ts';

const NETWORK = 'handshakes';
const NETWORK_KEY = new Uint8Array(16).fill(0x3c);
const NODES = ['gw', 'h1', 'm1', 'm2'];
/** Joining hop by hop takes some seconds each, and as long again where a handshake has to be repeated. */
const JOINED_S = 120;
const END_S = 400;

/** A gateway, a hub, and two meters, the second behind the first. */
function line(security: (node: string) => DeviceSecurity, nodes = NODES): World {
  const pairs = nodes.slice(1).map((to, index) => [nodes[index] as string, to] as const);
  const scenario = parseScenario({
    durationS: 3600,
    nodes: nodes.map((id) => ({ id, role: id === 'gw' ? 'gateway' : id === 'h1' ? 'hub' : 'meter', x: 0, y: 0 })),
    links: pairs.flatMap(([from, to]) => [
      { from, to, prr: 0.9 },
      { from: to, to: from, prr: 0.9 },
    ]),
    mesh: { pollCycleS: 20 },
    reading: { intervalS: 20 },
  });
  const world = { scenario, firmware: loadFirmware(), seed: 3, network: NETWORK, networkKey: NETWORK_KEY };
  return new World({ ...world, security });
}

interface Suite {
  readonly name: string;
  readonly fragments: number;
  readonly engine: () => SuiteEngine;
  readonly security: (node: string) => DeviceSecurity;
}

const staticKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(0x5e));
const psk = new Uint8Array(32).fill(0x42);
const { privateKeyPem = '' } = projectVectors<SuiteVectors>('suite-rsa').keys;
const { n = '' } = createPublicKey(privateKeyPem).export({ format: 'jwk' });
const rsaModulus = new Uint8Array(Buffer.from(n, 'base64url'));
const number = networkNumber(NETWORK);

const rsa: Suite = {
  name: '0x10',
  fragments: 2,
  engine: () => {
    const clock = new ManualClock();
    return rsaEngine({ provider: nodeProvider, privateKeyPem, networkNumber: number, clock, pskOf: () => psk });
  },
  security: () => ({ suite: SUITE_RSA, psk, rsaModulus }),
};

function ecc(provider = nodeProvider): Suite {
  return {
    name: `0x01, ${provider.name}`,
    fragments: 1,
    engine: () => eccEngine({ provider, staticKey, networkNumber: number }),
    security: () => ({ suite: SUITE_ECC, headEndKey: staticKey.publicKey }),
  };
}

function nodeIdOf(world: World, id: string): string {
  return world.device(id).state()?.nodeId ?? '';
}

/** Rows that a node's READINGS have told, by log id and seq. */
function rowsTold({ sections }: Peer): Set<string> {
  const readings = sections.flatMap((section) => (section.kind === 'readings' ? [section] : []));
  return new Set(readings.flatMap(({ logId, first, rows }) => rows.map((_, index) => `${logId}:${first + index}`)));
}

for (const suite of [ecc(nodeProvider), ecc(nobleProvider), rsa]) {
  describe(`handshake of the firmware with the head-end's suite ${suite.name}`, () => {
    it('joins a whole line of nodes, which then talk and listen', function () {
      this.timeout(60_000);
      const world = line(suite.security);
      const head = new HandshakePeer(world, suite.engine(), NETWORK_KEY);
      world.run(JOINED_S * 1e6);
      for (const id of NODES) {
        const peer = head.peers.get(nodeIdOf(world, id));
        assert.equal(world.device(id).state()?.joined, true, id);
        assert.equal(peer?.shortId, world.device(id).state()?.shortId, id);
      }
      const sent = NODES.map((id) => {
        const command = { kind: 'command', command: 1, operation: 1, arguments: new Uint8Array() } as const;
        return [id, head.command(nodeIdOf(world, id), command)] as const;
      });
      world.run(END_S * 1e6);
      assert.deepEqual(head.failures, []);
      for (const [id, counter] of sent) {
        const { sections, counters } = head.peers.get(nodeIdOf(world, id)) as Peer;
        const echo = sections.findLast((section) => section.kind === 'echo');
        assert.ok(echo?.kind === 'echo' && echo.counter >= counter, `${id} echoes downlink ${counter}`);
        assert.ok(counters.includes(0), `${id} begins with counter 0`);
      }
      for (const id of ['m1', 'm2']) {
        const told = rowsTold(head.peers.get(nodeIdOf(world, id)) as Peer);
        const rows = world.log(id).rows();
        const committed = new Set(rows.map(({ row }) => `${row.logId}:${row.seq}`));
        assert.ok(rows.length > 10 && told.size >= rows.length - 3, `${id}: ${told.size} of ${rows.length} rows`);
        for (const row of told) assert.ok(committed.has(row), row);
      }
    });

    it('repeats an M1 byte for byte, and draws a new number after three', () => {
      const world = line(suite.security, ['gw']);
      const head = new HandshakePeer(world, suite.engine(), NETWORK_KEY);
      head.tamper = () => undefined;
      world.run(110e6);
      const packets = head.m1.get(nodeIdOf(world, 'gw')) ?? [];
      assert.deepEqual(head.failures, []);
      const perNumber = 3 * suite.fragments;
      assert.ok(packets.length > perNumber, `${packets.length} packets`);
      assert.equal(new Set(packets.slice(0, perNumber)).size, suite.fragments);
      assert.ok(!packets.slice(0, perNumber).includes(packets[perNumber] ?? ''));
      head.tamper = (m2) => m2;
      world.run(400e6);
      assert.equal(world.device('gw').state()?.joined, true);
    });

    it('takes no altered M2, but the true one after it', () => {
      const world = line(suite.security, ['gw']);
      const dropped: number[] = [];
      world.observe({ traced: (_, trace) => trace.kind === 'dropped' && dropped.push(trace.error) });
      const head = new HandshakePeer(world, suite.engine(), NETWORK_KEY);
      let altered = 0;
      head.tamper = (m2) => {
        if (altered++ > 0) return m2;
        m2[m2.length - 1] = (m2[m2.length - 1] as number) ^ 1;
        return m2;
      };
      world.run(4e6);
      assert.deepEqual([altered, world.device('gw').state()?.joined], [1, false]);
      assert.deepEqual(dropped, [errorCodes.badTag]);
      world.run(20e6);
      assert.equal(world.device('gw').state()?.joined, true);
    });
  });
}

describe('handshake of the firmware that cannot succeed', () => {
  it('says so when its head-end key is of small order, and sends nothing', () => {
    const world = line(() => ({ suite: SUITE_ECC, headEndKey: bytes(`01${'00'.repeat(31)}`) }), ['gw']);
    const dropped = new Set<number>();
    world.observe({ traced: (_, trace) => trace.kind === 'dropped' && dropped.add(trace.error) });
    const head = new HandshakePeer(world, ecc().engine(), NETWORK_KEY);
    world.run(60e6);
    assert.equal(head.m1.size, 0);
    assert.deepEqual([...dropped], [errorCodes.noKey]);
  });

  it('is refused by a head-end with another key or in another network', () => {
    const others: SuiteEngine[] = [
      eccEngine({ provider: nodeProvider, staticKey: keyPairOf(nodeProvider), networkNumber: number }),
      eccEngine({ provider: nodeProvider, staticKey, networkNumber: number ^ 1 }),
    ];
    for (const engine of others) {
      const world = line(ecc().security, ['gw']);
      const head = new HandshakePeer(world, engine, NETWORK_KEY);
      world.run(60e6);
      assert.equal(world.device('gw').state()?.joined, false);
      assert.ok(head.failures.length > 0);
    }
  });
});
