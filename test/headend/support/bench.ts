import assert from 'node:assert/strict';
import { ManualClock } from '../../../nodes/headend/clock.ts';
import { decodePacket } from '../../../nodes/headend/frame/packet.ts';
import type { Ack } from '../../../nodes/headend/frame/sections.ts';
import { HeadEnd, type HeadEndOptions } from '../../../nodes/headend/headend.ts';
import type { ReadingMessage } from '../../../nodes/headend/messages.ts';
import { networkNumber } from '../../../nodes/headend/security/keys.ts';
import { keyPairOf } from '../../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../../nodes/headend/security/provider-node.ts';
import { MemoryStore } from '../../../nodes/headend/store/memory.ts';
import type { CommitGroup, CommitResult, Store } from '../../../nodes/headend/store/store.ts';
import { FakeLink } from './fake-link.ts';
import { acksOf, type ScriptedNode } from './scripted-node.ts';

export const NETWORK = 'test-net';
export const START_MS = Date.UTC(2026, 0, 2);

/** The head-end's key of all benches. */
export const headEndKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(7));
export const storeKey = new Uint8Array(32).fill(9);
/** K_net that benches begin with. */
export const networkKey = { keyId: 3, key: new Uint8Array(16).fill(11) };

/** Options of a network with keys, where everybody may join and suite 0x00 is not allowed unless `change` says otherwise. */
export function secured(change: Partial<HeadEndOptions['policy']> = {}) {
  const policy: HeadEndOptions['policy'] = { allowSuiteNone: false, approval: 'everyone', ...change };
  return { identity: { staticKey: headEndKey }, storeKey, networkKey, provider: nodeProvider, policy };
}

/** What nodes of suite 0x01 know of their head-end. */
export const ecc = { suite: 'ecc', headEndKey: headEndKey.publicKey, networkNumber: networkNumber(NETWORK) } as const;

/** A memory store whose commits a test can make fail, hold, and read. */
export class TestStore extends MemoryStore {
  readonly groups: CommitGroup[] = [];
  fail: Error | undefined;
  /** While set, commits wait for it. */
  hold: Promise<void> | undefined;

  override async commit(group: CommitGroup): Promise<CommitResult> {
    await this.hold;
    if (this.fail) throw this.fail;
    this.groups.push(group);
    return await super.commit(group);
  }
}

/** Lets everything that promises hold back happen; no time passes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

interface BenchOptions extends Partial<Omit<HeadEndOptions, 'store' | 'clock'>> {
  readonly store?: Store;
  readonly clock?: ManualClock;
  /** False: nobody listens for readings. */
  readonly listening?: boolean;
}

/** A head-end in virtual time with a fake link; everything it says is kept. */
export class Bench {
  readonly clock: ManualClock;
  readonly store: TestStore;
  readonly link: FakeLink;
  readonly headEnd: HeadEnd;
  readonly readings: ReadingMessage[] = [];
  readonly problems: Error[] = [];
  #upNumber = 1000;

  constructor({ clock, store, listening = true, ...options }: BenchOptions = {}) {
    this.clock = clock ?? new ManualClock(START_MS);
    this.store = (store as TestStore | undefined) ?? new TestStore();
    this.link = (options.link as FakeLink | undefined) ?? new FakeLink();
    let drawn = 0;
    this.headEnd = new HeadEnd({
      network: NETWORK,
      store: this.store,
      clock: this.clock,
      random: (length) => Uint8Array.from({ length }, () => (drawn = (drawn * 73 + 41) & 0xff)),
      instanceId: '0123456789abcdef',
      policy: { allowSuiteNone: true },
      ...options,
      link: this.link,
    });
    if (listening) this.headEnd.onReading((message) => this.readings.push(message));
    this.headEnd.onProblem((error) => this.problems.push(error));
  }

  static async started(options: BenchOptions = {}): Promise<Bench> {
    const bench = new Bench(options);
    await bench.headEnd.start();
    return bench;
  }

  /** Lets `ms` pass, in steps short enough for every commit to finish in its own moment. */
  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10) {
      this.clock.advance(Math.min(10, left));
      await settle();
    }
  }

  hello(gateway = 'gw', nodeId = 'aabbccddeeff', network = NETWORK): void {
    const rest = { shortId: 0x8000, firmware: '0.1.0', role: 'gateway', bootId: 7, window: 16 } as const;
    this.link.deliver(gateway, { type: 'hello', nodeId, networkNumber: networkNumber(network), ...rest });
  }

  /** A packet through a gateway, one envelope; returns its up number. */
  up(
    packet: Uint8Array,
    { gateway = 'gw', route = [] as number[], rssiDbm = -70, number = this.#upNumber++ } = {},
  ): number {
    const item = { more: false, urgent: false, route, packet };
    this.link.deliver(gateway, { type: 'up', number, rssiDbm, utcMs: 0, item });
    return number;
  }

  /** Lets a node join; fails when it is not answered. */
  async join(node: ScriptedNode, { gateway = 'gw', route = [0] } = {}): Promise<void> {
    for (const part of node.m1Parts()) this.up(part, { gateway, route });
    await this.run(100);
    node.takeM2(this.lastM2(node));
  }

  /** Joins, and has the session used once, so that it is the current one. */
  async joinAndSpeak(node: ScriptedNode, way: { gateway?: string; route?: number[] } = {}): Promise<void> {
    await this.join(node, way);
    this.up(node.up([node.telemetry()]), { ...way, route: way.route ?? [node.shortId] });
    await this.run(100);
  }

  /** DOWN packets to a node, of one type. */
  downs(node: ScriptedNode, type: 'm2' | 'down', gateway?: string): Uint8Array[] {
    const packets = this.link.all('down', gateway).map(({ packet }) => packet);
    return packets.filter((packet) => {
      const decoded = decodePacket(packet);
      return decoded.type === type && decoded.nodeId === node.nodeId;
    });
  }

  lastM2(node: ScriptedNode): Uint8Array {
    const packet = this.downs(node, 'm2').at(-1);
    assert.ok(packet, 'no M2 was sent');
    return packet;
  }

  /** All acknowledgements sent to a node, oldest first. */
  acks(node: ScriptedNode): Ack[] {
    return this.downs(node, 'down').flatMap((packet) => acksOf(node.open(packet).sections));
  }

  errors(): Record<string, number> {
    return this.headEnd.state().errors;
  }
}
