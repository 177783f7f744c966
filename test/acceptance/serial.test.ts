import assert from 'node:assert/strict';
import { PtyPair } from '../support/pty.ts';
import { needTool } from '../support/tools.ts';
import { Bench } from './bench.ts';
import { assertStoredExactlyOnce, assertTold } from './judge.ts';
import { INTERVAL_S, METERS } from './mesh.ts';
import { SerialGateway } from './serial-gateway.ts';

/** Simulated seconds: of the run before the cable is pulled, without the cable, and after it. */
const BEFORE_S = 600;
const PULLED_S = 60;
const AFTER_S = 60;
/** What has passed the cable is stored and told within this time. */
const SETTLE_S = 10;
/** Rows that each meter has at least measured by then: the first minute is for joining and for the clock. */
const ROWS_MIN = (BEFORE_S + PULLED_S + AFTER_S - 60) / INTERVAL_S;

describe('acceptance: serial', function () {
  this.timeout(120_000);
  this.slow(60_000);

  let cable: PtyPair | undefined;
  let bench: Bench | undefined;
  let gateway: SerialGateway | undefined;

  before(function () {
    needTool(this, 'socat');
  });

  after(async () => {
    await gateway?.close();
    await bench?.remove();
    await cable?.remove();
  });

  it('loses nothing and stores nothing twice in ten minutes, and when the cable is pulled for one more', async () => {
    cable = await PtyPair.start();
    const connection = { connection: 'serial', port: cable.host, baudRate: 115_200 };
    bench = await Bench.start({ connection, serialHost: true });
    const { mesh, outlet } = bench;
    gateway = new SerialGateway(mesh, cable.device);
    await gateway.open();
    await mesh.pass(BEFORE_S);

    await cable.pull();
    await mesh.pass(SETTLE_S);
    const before = outlet.messages().length;
    await mesh.pass(PULLED_S - SETTLE_S);
    assert.equal(outlet.messages().length, before, 'messages came through a pulled cable');
    await cable.plug();
    await gateway.open();
    await mesh.pass(AFTER_S);
    await bench.drain();
    const { measured, stored } = await bench.finish();

    for (const meter of METERS) {
      const rows = measured.filter((row) => row.meter === meter).length;
      assert.ok(rows >= ROWS_MIN, `${meter} measured ${rows} rows only`);
    }
    assertStoredExactlyOnce(measured, stored);
    assert.equal(assertTold(measured, outlet.messages()), 0, 'nothing was restarted: nothing goes out twice');
  });
});
