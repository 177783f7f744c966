import assert from 'node:assert/strict';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { encodePacketHeader, type PacketHeader, SUITE_ECC } from '../../nodes/headend/frame/packet.ts';
import { FRAME_TYPES, type FrameBody } from '../../nodes/headend/frame/radio.ts';
import type { Recorded } from './attacker.ts';
import { JOINED_S, LINE, type Mesh, meshInALine, NETWORK_KEY, tempting } from './mesh.ts';

/** Attacks on the hop between neighbours, by somebody without the network key. The numbers are those of SECURITY.md. */

const EVIL_SHORT_ID = 0xeee0;
const KEY_IDS = Array.from({ length: 16 }, (_, keyId) => keyId);
/** The firmware takes frames under the former network key for this long after a switch (PROTOCOL.md, section 2.9). */
const GRACE_S = 3600;
const JOIN_M1_PER_S = 4;
/** A router answers one solicitation in this time (PROTOCOL.md, section 2.6). */
const SOLICITED_S = 10;
const SOLICITATION = { type: 'join', direction: 'solicit', packet: new Uint8Array(0) } as const;

function evilMac(index = 0): Uint8Array {
  return Uint8Array.of(0x02, 0xee, 0, 0, index >> 8, index);
}

/** A mesh in which everybody has joined and has a parent. */
function joined(seed?: number): Mesh {
  const mesh = meshInALine(seed);
  mesh.world.run(JOINED_S * 1e6);
  assertWhole(mesh);
  return mesh;
}

function assertWhole({ world, parentOf }: Mesh): void {
  for (const [index, id] of LINE.entries()) {
    assert.equal(world.device(id).state()?.joined, true, `${id} has joined`);
    if (index > 0) assert.equal(parentOf(id), LINE[index - 1], `parent of ${id}`);
  }
}

/** Runs on for `seconds` and asserts that rows of both meters keep coming. */
function assertRowsCome(mesh: Mesh, seconds: number): void {
  const before = [mesh.rowsTold('m1'), mesh.rowsTold('m2')];
  mesh.pass(seconds);
  for (const [index, id] of ['m1', 'm2'].entries()) {
    const came = mesh.rowsTold(id) - (before[index] ?? 0);
    assert.ok(came >= seconds / 20 - 5, `${came} rows of ${id} in ${seconds} s`);
  }
}

function droppedFor(mesh: Mesh, id: string): Record<string, number> {
  return Object.fromEntries(mesh.drops.get(id) ?? []);
}

/** How often a device has beaconed since the frame with this index. */
function beaconsOf({ attacker }: Mesh, id: string, index: number): number {
  return attacker.recorded.slice(index).filter(({ from, type }) => from === id && type === FRAME_TYPES.beacon).length;
}

function nodeIdOf({ world }: Mesh, id: string): string {
  return world.device(id).state()?.nodeId ?? '';
}

describe('attack 1: a beacon with hop 0 and a MAC that does not verify', () => {
  it('changes nothing in nodes that have joined', () => {
    const mesh = joined();
    const { world, attacker, drops } = mesh;
    for (const counts of drops.values()) counts.clear();
    const addresses = [evilMac(), world.device('gw').mac, world.device('h1').mac];
    attacker.every(50_000, 60e6, (index) => {
      const body = { ...tempting(EVIL_SHORT_ID), number: index & 0xff };
      const forgery = { body, keyId: index & 0x0f, counter: 0x7000_0000 + index };
      for (const victim of LINE) attacker.forge(victim, addresses[index % addresses.length] as Uint8Array, forgery);
    });
    assertRowsCome(mesh, 60);
    assertWhole(mesh);
    for (const id of LINE) {
      const {
        badField = 0,
        badTag = 0,
        noKey = 0,
      } = Object.fromEntries(
        (['badField', 'badTag', 'noKey'] as const).map((name) => [name, droppedFor(mesh, id)[errorCodes[name]] ?? 0]),
      );
      assert.deepEqual([badField, badTag, noKey], [75, 75, 1050], id);
    }
    assert.ok(!attacker.recorded.some(({ to }) => to.startsWith('02ee')), 'nobody answers the attacker');
  });

  it('keeps a node that has not joined from joining no longer than it is heard, and never becomes its parent', () => {
    for (const [addresses, joinsMeanwhile] of [
      [5, true],
      [300, false],
    ] as const) {
      const mesh = meshInALine();
      const { world, attacker } = mesh;
      world.apply({ kind: 'kill', node: 'm2', atS: 0 });
      world.run(JOINED_S * 1e6);
      world.apply({ kind: 'revive', node: 'm2', atS: JOINED_S });
      attacker.every(20_000, 120e6, (index) => {
        const body = { ...tempting(EVIL_SHORT_ID + (index % addresses)), number: index & 0xff };
        attacker.forge('m2', evilMac(index % addresses), { body, keyId: 1, counter: index });
        assert.ok([undefined, 'm1'].includes(mesh.parentOf('m2')));
        assert.equal(world.device('m2').state()?.attached, mesh.parentOf('m2') !== undefined);
      });
      mesh.pass(120);
      if (joinsMeanwhile) assert.equal(mesh.parentOf('m2'), 'm1', 'joins in spite of a few liars');
      mesh.pass(180);
      assertWhole(mesh);
    }
  });
});

describe('attack 2: a valid beacon replayed', () => {
  const isBeacon = ({ type }: Recorded): boolean => type === FRAME_TYPES.beacon;

  it('is worthless to who has heard it', () => {
    const mesh = joined();
    const { attacker } = mesh;
    const beacons = attacker.heardBy('m1').filter((recorded) => isBeacon(recorded) && recorded.from !== 'gw');
    assert.deepEqual([...new Set(beacons.map(({ from }) => from))].sort(), ['h1', 'm2']);
    mesh.drops.get('m1')?.clear();
    attacker.every(50_000, 60e6, (index) => attacker.replay('m1', beacons[index % beacons.length] as Recorded));
    assertRowsCome(mesh, 60);
    assertWhole(mesh);
    assert.equal(droppedFor(mesh, 'm1')[errorCodes.replay], 1200);
  });

  it('is worthless right after a reboot, also with every other frame that was ever recorded', () => {
    const mesh = joined();
    const { world, attacker } = mesh;
    const heard = attacker.heardBy('m1').filter(({ from, type }) => from === 'h1' && type !== FRAME_TYPES.join);
    for (const type of [FRAME_TYPES.beacon, FRAME_TYPES.routed, FRAME_TYPES.challenge]) {
      assert.ok(heard.some((recorded) => recorded.type === type));
    }
    world.apply({ kind: 'partition', nodes: ['m1'], atS: 0 });
    world.apply({ kind: 'powerCut', node: 'm1', atS: 0 });
    mesh.pass(3);
    const from = attacker.recorded.length;
    mesh.drops.get('m1')?.clear();
    attacker.every(20_000, 120e6, (index) => {
      attacker.replay('m1', heard[index % heard.length] as Recorded);
      assert.equal(world.device('m1').state()?.attached, false);
    });
    mesh.pass(120);
    assert.ok((droppedFor(mesh, 'm1')[errorCodes.notFresh] ?? 0) > 3000);
    const said = attacker.recorded.slice(from).filter((recorded) => recorded.from === 'm1');
    assert.deepEqual([...new Set(said.map(({ type }) => type))].sort(), [FRAME_TYPES.beacon, FRAME_TYPES.challenge]);
    world.apply({ kind: 'heal', atS: 0 });
    mesh.pass(60);
    assertWhole(mesh);
  });

  it('moves no route of a node that has just started among living neighbours', () => {
    const mesh = joined();
    const { world, attacker } = mesh;
    const heard = attacker.heardBy('m1').filter(({ type }) => type !== FRAME_TYPES.join);
    world.apply({ kind: 'powerCut', node: 'm1', atS: 0 });
    mesh.pass(3);
    attacker.every(5_000, 60e6, (index) => {
      attacker.replay('m1', heard[index % heard.length] as Recorded);
      assert.ok([undefined, 'h1'].includes(mesh.parentOf('m1')));
    });
    mesh.pass(60);
    assertWhole(mesh);
    assertRowsCome(mesh, 120);
  });

  it('costs one challenge a second at most', () => {
    const mesh = joined();
    const { world, attacker } = mesh;
    const beacons = attacker.heardBy('m1').filter((recorded) => isBeacon(recorded) && recorded.from === 'h1');
    world.apply({ kind: 'partition', nodes: ['m1'], atS: 0 });
    world.apply({ kind: 'powerCut', node: 'm1', atS: 0 });
    mesh.pass(3);
    const from = attacker.recorded.length;
    attacker.every(2_000, 60e6, (index) => attacker.replay('m1', beacons[index % beacons.length] as Recorded));
    mesh.pass(60);
    const said = attacker.recorded
      .slice(from)
      .filter(({ from: who, type }) => who === 'm1' && type === FRAME_TYPES.challenge);
    assert.ok(said.length >= 30 && said.length <= 60, `${said.length} challenges`);
  });

  it('costs a node with a parent a challenge now and then, however good the way that it tells of', () => {
    const mesh = joined();
    const { attacker } = mesh;
    const beacons = attacker.recorded.filter((recorded) => isBeacon(recorded) && recorded.from === 'gw');
    const from = attacker.recorded.length;
    attacker.every(50_000, 300e6, (index) => attacker.replay('m2', beacons[index % beacons.length] as Recorded));
    assertRowsCome(mesh, 300);
    assertWhole(mesh);
    const asked = attacker.recorded
      .slice(from)
      .filter(({ from: who, type }) => who === 'm2' && type === FRAME_TYPES.challenge);
    assert.ok(asked.length >= 5 && asked.length <= 60, `${asked.length} challenges in 300 s`);
  });
});

describe('attack 20: a frame under the join key that is no handshake', () => {
  const header = (fields: Partial<PacketHeader>): Uint8Array =>
    encodePacketHeader({
      type: 'm1',
      suite: SUITE_ECC,
      fragment: false,
      nodeId: 'eeeeeeeeeeee',
      session: 0,
      counter: 1,
      ...fields,
    });
  const packet = (fields: Partial<PacketHeader> = {}): Uint8Array =>
    Uint8Array.from([...header(fields), ...new Uint8Array(100).fill(7)]);

  /** Lets everybody hear these bodies under the right join key for a minute; returns how many packets the head-end got for it. */
  function attack(mesh: Mesh, bodies: readonly FrameBody[], broadcast: boolean): void {
    const { attacker, headEndKey } = mesh;
    const linkKey = attacker.joinKey(headEndKey);
    attacker.every(100_000, 60e6, (index) => {
      const body = bodies[index % bodies.length] as FrameBody;
      for (const victim of LINE) {
        attacker.forge(victim, evilMac(index), { body, keyId: 0, counter: index + 1, linkKey }, broadcast);
      }
    });
  }

  it('is dropped when it is a beacon, data or anything but JOIN', () => {
    const mesh = joined();
    for (const counts of mesh.drops.values()) counts.clear();
    const item = { more: false, urgent: false, route: [5], packet: packet({ type: 'up', session: 9 }) };
    const bodies: FrameBody[] = [
      tempting(EVIL_SHORT_ID),
      { type: 'data', cost: 100, items: [item] },
      { type: 'data', cost: 100, items: [{ ...item, route: [0], packet: packet() }] },
      { type: 'challenge', kind: 'ask', nonce: new Uint8Array(8) } as unknown as FrameBody,
    ];
    attack(mesh, bodies, false);
    assertRowsCome(mesh, 60);
    assertWhole(mesh);
    assert.deepEqual(mesh.head.failures, []);
    assert.equal(mesh.head.m1.has('eeeeeeeeeeee'), false);
    for (const id of LINE) assert.equal(droppedFor(mesh, id)[errorCodes.badField], 600, id);
  });

  it('is dropped when it is JOIN with another packet, in the wrong direction or to everybody', () => {
    const mesh = joined();
    for (const counts of mesh.drops.values()) counts.clear();
    const bodies: FrameBody[] = [
      { type: 'join', direction: 'up', packet: packet({ type: 'up', session: 9 }) },
      { type: 'join', direction: 'up', packet: packet({ type: 'm2', epoch: 1 }) },
      { type: 'join', direction: 'down', packet: packet() },
      { type: 'join', direction: 'down', packet: packet({ type: 'down', session: 9, epoch: 1 }) },
    ];
    attack(mesh, bodies, false);
    mesh.pass(60);
    attack(mesh, [{ type: 'join', direction: 'up', packet: packet() }], true);
    assertRowsCome(mesh, 60);
    assertWhole(mesh);
    assert.deepEqual(mesh.head.failures, []);
    for (const id of LINE) assert.equal(droppedFor(mesh, id)[errorCodes.badField], 1200, id);
  });

  it('is dropped when it is a solicitation for one alone, or something rides on it', () => {
    const mesh = joined();
    const { attacker, headEndKey } = mesh;
    for (const counts of mesh.drops.values()) counts.clear();
    const linkKey = attacker.joinKey(headEndKey);
    const from = attacker.recorded.length;
    const riders = [packet(), packet({ type: 'up', session: 9 }), packet({ type: 'm2', epoch: 1 }), Uint8Array.of(0)];
    attacker.every(100_000, 60e6, (index) => {
      const forgery = { body: SOLICITATION, keyId: 0, counter: index + 1, linkKey };
      const bytes = Uint8Array.from([3, ...(riders[index % riders.length] as Uint8Array)]);
      for (const victim of LINE) {
        attacker.forge(victim, evilMac(index), forgery, false);
        attacker.forge(victim, evilMac(index), { ...forgery, bytes }, true);
      }
    });
    assertRowsCome(mesh, 60);
    assertWhole(mesh);
    assert.deepEqual(mesh.head.failures, []);
    for (const id of LINE) {
      assert.equal(droppedFor(mesh, id)[errorCodes.badField], 600, id);
      assert.equal(droppedFor(mesh, id)[errorCodes.trailingBytes], 600, id);
      assert.ok(beaconsOf(mesh, id, from) <= 2, `${id} beacons as if nobody had asked`);
    }
  });

  it('costs one beacon in ten seconds when it solicits, whoever asks and however often', () => {
    const mesh = joined();
    const { attacker, headEndKey } = mesh;
    mesh.pass(600);
    const linkKey = attacker.joinKey(headEndKey);
    const from = attacker.recorded.length;
    const seconds = 120;
    attacker.every(20_000, seconds * 1e6, (index) => {
      const forgery = { body: SOLICITATION, keyId: 0, counter: index + 1, linkKey };
      for (const victim of LINE) attacker.forge(victim, evilMac(index), forgery, true);
    });
    assertRowsCome(mesh, seconds);
    assertWhole(mesh);
    for (const id of LINE) {
      const answers = beaconsOf(mesh, id, from);
      assert.ok(answers >= seconds / SOLICITED_S - 1 && answers <= seconds / SOLICITED_S + 2, `${answers} of ${id}`);
    }
  });

  it('gets four handshakes a second through each proxy, and crowds out no reading', () => {
    const mesh = joined();
    const { attacker, head, headEndKey } = mesh;
    const linkKey = attacker.joinKey(headEndKey);
    const seconds = 60;
    attacker.every(1_000, seconds * 1e6, (index) => {
      const nodeId = index.toString(16).padStart(12, '0');
      const body = { type: 'join', direction: 'up', packet: packet({ nodeId }) } as const;
      attacker.forge('h1', evilMac(index), { body, keyId: 0, counter: index + 1, linkKey });
    });
    assertRowsCome(mesh, seconds);
    assertWhole(mesh);
    const through = [...head.m1.keys()].filter((nodeId) => nodeId.startsWith('0000000')).length;
    assert.ok(through > 10 && through <= seconds * JOIN_M1_PER_S + 8, `${through} in ${seconds} s`);
  });
});

describe('attack 21: network keys of other times', () => {
  const NEXT_KEY = new Uint8Array(16).fill(0x4d);

  /** Announces the next key to everybody, to be used in a minute. */
  function rotate(mesh: Mesh, ids: readonly string[] = LINE): void {
    const section = { kind: 'netkey', keyId: 2, networkKey: NEXT_KEY, untilUseS: 60 } as const;
    for (const id of ids) mesh.head.command(nodeIdOf(mesh, id), section);
    mesh.head.networkKey = { keyId: 2, bytes: NEXT_KEY };
    mesh.pass(61);
  }

  function keyIdsOnAir({ attacker }: Mesh, from: number): number[] {
    const frames = attacker.recorded.slice(from).filter(({ type }) => type !== FRAME_TYPES.join);
    return [...new Set(frames.map(({ frame }) => (frame[1] ?? 0) >> 4))].sort();
  }

  it('are refused before they are announced and after they have ended', () => {
    const mesh = joined();
    const { world, attacker } = mesh;
    const forgeUnderAll = (seconds: number): void => {
      for (const counts of mesh.drops.values()) counts.clear();
      attacker.every(100_000, seconds * 1e6, (index) => {
        const keyId = KEY_IDS[index % KEY_IDS.length] as number;
        const linkKey = attacker.networkLinkKey(keyId === 2 ? NEXT_KEY : NETWORK_KEY, keyId);
        const forgery = { body: tempting(EVIL_SHORT_ID), keyId, counter: 0x7000_0000 + index, linkKey };
        // Under a key that counts this one would verify, but its sender is not fresh.
        for (const victim of LINE) attacker.forge(victim, evilMac(), forgery);
      });
      assertRowsCome(mesh, seconds);
      assertWhole(mesh);
    };
    forgeUnderAll(160);
    for (const id of LINE) assert.equal(droppedFor(mesh, id)[errorCodes.noKey], 14 * 100, id);

    rotate(mesh);
    const from = attacker.recorded.length;
    mesh.pass(60);
    assert.deepEqual(keyIdsOnAir(mesh, from), [2]);
    assertWhole(mesh);
    forgeUnderAll(160);
    for (const id of LINE) assert.equal(droppedFor(mesh, id)[errorCodes.noKey], 13 * 100, `${id} takes both keys`);

    world.run(world.schedule.nowUs + GRACE_S * 1e6);
    assertWhole(mesh);
    forgeUnderAll(160);
    for (const id of LINE) assert.equal(droppedFor(mesh, id)[errorCodes.noKey], 14 * 100, id);
  });

  it('keep nobody out for good who slept through a rotation', () => {
    const mesh = joined();
    const { world } = mesh;
    world.apply({ kind: 'kill', node: 'm2', atS: 0 });
    rotate(mesh, ['gw', 'h1', 'm1']);
    world.run(world.schedule.nowUs + GRACE_S * 1e6);
    world.apply({ kind: 'revive', node: 'm2', atS: 0 });
    mesh.pass(540);
    assert.equal(world.device('m2').state()?.attached, false);
    mesh.pass(180);
    assertWhole(mesh);
    assertRowsCome(mesh, 120);
  });

  it('keep nobody out for good who was in a floating tree meanwhile', () => {
    const mesh = joined();
    const { world } = mesh;
    world.apply({ kind: 'partition', nodes: ['h1', 'm1', 'm2'], atS: 0 });
    mesh.pass(300);
    assert.ok((world.device('h1').state()?.spooled ?? 0) > 0, 'it was no floating tree');
    rotate(mesh, ['gw']);
    world.run(world.schedule.nowUs + GRACE_S * 1e6);
    world.apply({ kind: 'heal', atS: 0 });
    mesh.pass(600);
    assertWhole(mesh);
    assertRowsCome(mesh, 120);
  });
});
