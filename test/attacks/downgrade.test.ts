import assert from 'node:assert/strict';
import { errorCodes } from '../../nodes/headend/errors.ts';
import { decodeM1Payload, encodeM1Payload, encodeM2Payload } from '../../nodes/headend/frame/handshake.ts';
import { decodePacket, encodePacketHeader, SUITE_NONE, sealPlain } from '../../nodes/headend/frame/packet.ts';
import { encodeDownSections, encodeUpSections } from '../../nodes/headend/frame/sections.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { Bench, ecc, secured } from '../headend/support/bench.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { JOINED_S, LINE } from './mesh.ts';
import { Plant } from './support/plant.ts';

/** Attack 14: suite, version and prologue altered, so that the two ends agree on less than both can do. The numbers are those of SECURITY.md. */

const NUMBER_MAX = 0xffff_ffff;
const EPOCH_LATER = 0xf000_0000;

/** Every first and second byte of a packet but the true one. */
function relabelled(packet: Uint8Array): Uint8Array[] {
  return [0, 1].flatMap((index) =>
    Array.from({ length: 256 }, (_, value) =>
      Uint8Array.from(packet, (byte, at) => (at === index ? value : byte)),
    ).filter((changed) => changed[index] !== packet[index]),
  );
}

/** What somebody in the middle can say in a device's name when the other end takes suite 0x00. */
function plainM1(device: ScriptedNode, handshake: number): Uint8Array {
  const node = new ScriptedNode({ seed: 'in its name' });
  const payload = decodeM1Payload(decodePacket(node.m1({ handshake })).body.subarray(32, -4));
  const { nodeId, key } = device;
  const header = { type: 'm1', suite: SUITE_NONE, fragment: false, nodeId, session: 0, counter: handshake } as const;
  return sealPlain(encodePacketHeader(header), Uint8Array.from([...key, ...encodeM1Payload(payload)]));
}

describe('attack 14: an M1 altered on its way', () => {
  it('is refused whatever suite and version it names, and the true one is taken', async () => {
    const plant = await Plant.started();
    const { middle, bench } = plant;
    let altered = 0;
    middle.up = (packet, pass) => {
      if (decodePacket(packet).type === 'm1' && altered < 4 * 510) {
        const forgeries = relabelled(packet);
        altered += forgeries.length;
        forgeries.forEach(pass);
        assert.equal(bench.headEnd.state().nodesKnown, 0);
        return;
      }
      pass(packet);
    };
    await plant.pass(120);
    const { badVersion, suiteRefused, badField, badTag } = plant.errors();
    assert.equal(altered, 4 * 510);
    assert.equal(badVersion, 4 * 240);
    // 0x00 and 0x10, each with both reserved bits, 0x10 with the fragment bit too.
    assert.equal(suiteRefused, 4 * (4 + 8));
    assert.ok((badField ?? 0) > 4 * 200 && (badTag ?? 0) > 0);
    for (const id of LINE) assert.equal(plant.joined(id), true, id);
  });

  it('is refused when it was made for another network, or for another head-end', async () => {
    const bench = await Bench.started(secured());
    const elsewhere = { ...ecc, networkNumber: networkNumber('another-net') };
    const impostor = { ...ecc, headEndKey: new ScriptedNode({ seed: 'impostor' }).key };
    for (const security of [elsewhere, impostor]) bench.up(new ScriptedNode({ seed: 'meter', security }).m1());
    await bench.run(100);
    assert.deepEqual(bench.errors(), { badTag: 2 });
    assert.equal(bench.headEnd.state().nodesKnown, 0);
  });
});

describe('attack 14: suite 0x00 in the name of a device', () => {
  it('is refused where the policy forbids it, before and after the device has joined', async () => {
    const bench = await Bench.started(secured());
    const device = new ScriptedNode({ seed: 'meter', security: ecc });
    bench.up(plainM1(device, NUMBER_MAX));
    await bench.joinAndSpeak(device);
    bench.up(plainM1(device, NUMBER_MAX));
    await bench.run(100);
    assert.deepEqual(bench.errors(), { suiteRefused: 2 });
    assert.equal(bench.downs(device, 'm2').length, 1);
  });

  it('keeps no device from joining with its keys where the policy allows both', async () => {
    const bench = await Bench.started(secured({ allowSuiteNone: true }));
    const device = new ScriptedNode({ seed: 'meter', security: ecc });
    bench.up(plainM1(device, NUMBER_MAX));
    await bench.run(100);
    assert.equal(bench.downs(device, 'm2').length, 1, 'nothing speaks against it yet');
    await bench.joinAndSpeak(device);
    bench.up(device.up([device.readings(1, 2)]), { route: [device.shortId] });
    bench.up(plainM1(device, NUMBER_MAX));
    await bench.run(1000);
    assert.deepEqual(
      bench.readings.map(({ wattmesh }) => wattmesh.suite),
      ['ecc', 'ecc'],
    );
    assert.deepEqual(bench.errors(), { suiteRefused: 1 });
  });
});

describe('attack 14: the firmware of a device with keys', () => {
  it('never offers less, however long it is not answered, and takes no M2 without keys', async () => {
    const plant = await Plant.started();
    const { middle } = plant;
    const suites = new Set<number>();
    let answered = 0;
    middle.up = (packet, pass) => {
      suites.add(decodePacket(packet).suite);
      pass(packet);
    };
    middle.down = (packet, pass) => {
      const { nodeId, counter, type } = decodePacket(packet);
      if (type !== 'm2') return;
      const header = {
        type,
        suite: SUITE_NONE,
        fragment: false,
        nodeId,
        session: 0,
        epoch: EPOCH_LATER,
        counter,
      } as const;
      const payload = encodeM2Payload({
        session: 1,
        shortId: 0x8001,
        keyId: 1,
        networkKey: new Uint8Array(16).fill(0xee),
        localHubId: 1,
        utcMs: Date.UTC(2040, 0),
        acknowledged: 0,
        policy: { suiteNone: true, flooding: false },
      });
      for (const forged of [sealPlain(encodePacketHeader(header), payload), ...relabelled(packet)]) pass(forged);
      answered++;
    };
    await plant.pass(6 * 3600);
    assert.ok(answered > 20, `${answered} answers`);
    assert.deepEqual([...suites], [1]);
    assert.equal(plant.joined('gw'), false);
    assert.ok(plant.dropped('gw', errorCodes.suiteRefused) >= answered);
    middle.down = (packet, pass) => pass(packet);
    await plant.pass(3600 + JOINED_S);
    for (const id of LINE) assert.equal(plant.joined(id), true, id);
  }).timeout(20_000);

  it('takes no packet without keys once it has joined, and neither does the head-end', async () => {
    const plant = await Plant.started();
    const { middle, world, bench } = plant;
    await plant.pass(JOINED_S);
    const identified: string[] = [];
    world.observe({ identified: (id) => identified.push(id) });
    const command = encodeDownSections([{ kind: 'command', command: 9, operation: 3, arguments: Uint8Array.of(60) }]);
    const lie = encodeUpSections([{ kind: 'event', code: 1, utcMs: 1, value: 1 }]);
    let [up, down] = [0, 0];
    const plain = (packet: Uint8Array, plaintext: Uint8Array): Uint8Array => {
      const { header: _, body: __, ...fields } = decodePacket(packet);
      return sealPlain(encodePacketHeader({ ...fields, suite: SUITE_NONE, counter: fields.counter + 50 }), plaintext);
    };
    middle.up = (packet, pass) => {
      pass(plain(packet, lie));
      pass(packet);
      up++;
    };
    middle.down = (packet, pass) => {
      pass(plain(packet, command));
      pass(packet);
      down++;
    };
    const refusedUp = plant.errors().suiteRefused ?? 0;
    for (const id of LINE) {
      const outcome = bench.headEnd.command({ nodeId: plant.nodeId(id), operation: 'pollNow' });
      const before = { down, refused: plant.dropped(id, errorCodes.suiteRefused) };
      await plant.pass(60);
      assert.equal((await outcome).payload.outcome, 'done');
      assert.ok(down > before.down && plant.dropped(id, errorCodes.suiteRefused) > before.refused, id);
    }
    assert.equal(plant.errors().suiteRefused, refusedUp + up);
    assert.deepEqual(identified, []);
    const { violations } = await bench.judge();
    assert.deepEqual(violations, []);
  }).timeout(20_000);
});
