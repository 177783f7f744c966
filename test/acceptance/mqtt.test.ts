import assert from 'node:assert/strict';
import { Mosquitto } from '../support/mosquitto.ts';
import { needTool } from '../support/tools.ts';
import { Bench } from './bench.ts';
import { assertStoredExactlyOnce, assertTold } from './judge.ts';
import { INTERVAL_S, METERS } from './mesh.ts';
import { MqttGateway } from './mqtt-gateway.ts';

/** Simulated seconds: the whole run, and of it without the broker. */
const RUN_S = 600;
const STOPPED_S = 60;
/** From the start to the broker's stop, and from Node-RED's return to the end. */
const PART_S = (RUN_S - STOPPED_S) / 2;
/** What the broker has is stored and told within this time. */
const SETTLE_S = 10;
/** Rows that each meter has at least measured by then: the first minute is for joining and for the clock. */
const ROWS_MIN = (RUN_S - 60) / INTERVAL_S;

describe('acceptance: MQTT', function () {
  this.timeout(120_000);
  this.slow(60_000);

  let broker: Mosquitto | undefined;
  let bench: Bench | undefined;
  let gateway: MqttGateway | undefined;

  before(function () {
    needTool(this, 'mosquitto');
  });

  after(async () => {
    await gateway?.close();
    await bench?.remove();
    await broker?.remove();
  });

  it('loses nothing and stores nothing twice when the broker stops for a minute and Node-RED is killed', async () => {
    broker = await Mosquitto.start();
    const connection = { connection: 'mqtt', broker: '127.0.0.1', brokerPort: String(broker.port) };
    bench = await Bench.start({ connection, serialHost: false });
    const { mesh, outlet } = bench;
    gateway = new MqttGateway(mesh, broker.url);
    await mesh.pass(PART_S);

    await broker.stop();
    await mesh.pass(SETTLE_S);
    const before = outlet.messages().length;
    await mesh.pass(STOPPED_S - SETTLE_S);
    assert.equal(outlet.messages().length, before, 'messages came through a stopped broker');

    // Node-RED dies when the broker is just back: with the first message of what has piled up, while all else is on its way.
    outlet.killAtNextMessage();
    await broker.restart();
    await bench.killed();
    assert.equal(outlet.messages().length, before + 1, 'it was to die with that message');
    await bench.startNodeRed();
    await mesh.pass(PART_S);
    await bench.drain();
    const { measured, stored } = await bench.finish();

    for (const meter of METERS) {
      const rows = measured.filter((row) => row.meter === meter).length;
      assert.ok(rows >= ROWS_MIN, `${meter} measured ${rows} rows only`);
    }
    assertStoredExactlyOnce(measured, stored);
    const repeats = assertTold(measured, outlet.messages());
    // The message that went out just before the kill was not yet known as sent: it must have gone out again.
    assert.ok(repeats >= 1, 'no message was repeated');
  });
});
