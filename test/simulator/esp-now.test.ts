import assert from 'node:assert/strict';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { EspNow, PeerList } from '../../firmware/simulator/radio/esp-now.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';

const PEERS_MAX = 20;
/** As many as a node has fresh neighbours (PROTOCOL.md, section 2.5), but for two. */
const METERS = 26;

function mac(last: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, 0, last);
}

/** A gateway in reach of all meters, which are not in reach of each other: it has more children than places. */
function star(peersMax: number | null) {
  const meters = Array.from({ length: METERS }, (_, index) => `m${index + 1}`);
  const links = meters.flatMap((id) => [
    { from: id, to: 'gw', prr: 0.9 },
    { from: 'gw', to: id, prr: 0.9 },
  ]);
  const nodes = ['gw', ...meters].map((id) => ({ id, role: id === 'gw' ? 'gateway' : 'meter' }));
  return parseScenario({ durationS: 900, warmupS: 300, nodes, links, radio: { peersMax }, mesh: { suite: 'noise' } });
}

describe('ESP-NOW with few places for peers', function () {
  this.timeout(60_000);

  it('refuses one more than it has places for', () => {
    const list = new PeerList(2);
    assert.deepEqual(
      ['a', 'b', 'c'].map((address) => list.add(address)),
      [true, true, false],
    );
    list.remove('a');
    assert.deepEqual([list.has('a'), list.has('b'), list.has('c')], [false, true, false]);
    assert.equal(list.add('c'), true);
  });

  it('sends to everybody: the port takes who was not sent to for longest from it', () => {
    const espNow = new EspNow(2);
    const replaced = [1, 2, 1, 3, 1, 2, 3].map((last) => {
      assert.equal(espNow.sendsTo(mac(last)), true);
      return espNow.replaced;
    });
    // 3 takes the place of 2, which takes that of 3; 3 that of 1.
    assert.deepEqual(replaced, [0, 0, 0, 1, 1, 2, 3]);
  });

  it('loses nothing with more children than places, and counts who made room', async () => {
    const limited = await simulate({ scenario: star(PEERS_MAX), firmware: loadFirmware() });
    assert.deepEqual(limited.violations, []);
    assert.deepEqual(limited.readings, { measured: 260, delivered: 260, duplicates: 0, lost: 0, pending: 0 });
    // Calls take no place; challenges, handshakes and polls by name do.
    assert.ok((limited.peersReplaced ?? 0) > METERS, `${limited.peersReplaced}`);
    const free = await simulate({ scenario: star(null), firmware: loadFirmware() });
    assert.equal(free.peersReplaced, undefined);
    assert.deepEqual(limited.frames, free.frames, 'nobody else notices');
  });
});
