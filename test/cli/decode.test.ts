import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { type Found, StreamCapture } from '../../nodes/cli/capture.ts';
import { run } from '../../nodes/cli/decode.ts';
import { fromHex } from '../../nodes/headend/bytes.ts';
import { encodeGatewayEnvelope, encodeHostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { encodePacketHeader, type PacketHeader, sealPlain } from '../../nodes/headend/frame/packet.ts';
import { encodeDownSections, encodeUpSections } from '../../nodes/headend/frame/sections.ts';
import { encodeSlip } from '../../nodes/headend/frame/slip.ts';
import { repoRoot } from '../support/root.ts';
import { loadVectors } from '../vectors/load.ts';

const CLI = fileURLToPath(new URL('../../nodes/cli.js', import.meta.url));
const T0_S = 1_790_000_000;

const header: PacketHeader = {
  type: 'up',
  suite: 0,
  fragment: false,
  nodeId: '0a1b2c3d4e5f',
  session: 7,
  counter: 3,
};
const readings = encodeUpSections([
  {
    kind: 'readings',
    logId: 'c0ffee01',
    oldest: 1,
    first: 41,
    t0S: T0_S,
    intervalS: 60,
    quality: 'good',
    mask: 5,
    rows: [
      { importDwh: 1_234_567, powerDw: -2500 },
      { importDwh: 1_234_608, powerDw: 2750 },
    ],
  },
]);
const up = (packet: Uint8Array) =>
  encodeGatewayEnvelope({
    type: 'up',
    number: 9,
    rssiDbm: -71,
    utcMs: T0_S * 1000 + 123,
    item: { more: true, poll: 5, urgent: false, route: [0x0101, 0x8002], packet },
  });
const open = up(sealPlain(encodePacketHeader(header), readings));
const sealed = up(Buffer.concat([encodePacketHeader({ ...header, suite: 1 }), new Uint8Array(40)]));
const time = encodeHostEnvelope({ type: 'time', utcMs: T0_S * 1000, synchronised: true });

/** Runs the command on bytes that arrive on standard input. */
async function decode(input: Uint8Array | string, ...options: string[]) {
  let out = '';
  let error = '';
  const terminal = {
    input: Readable.from([Buffer.from(input)]),
    out: (text: string) => {
      out += text;
    },
    error: (text: string) => {
      error += text;
    },
  };
  const code = await run(['-', ...options], terminal);
  return { code, out, error, lines: out.trimEnd().split('\n') };
}

/** Runs the installed command as a user would. */
function wattmesh(...args: string[]): Promise<{ code: number | null; out: string; error: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let error = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      error += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, error }));
  });
}

describe('wattmesh decode', () => {
  it('prints an envelope field by field, with units, down to the rows', async () => {
    const { code, lines } = await decode(encodeSlip(open));
    assert.equal(code, 0);
    const expected = `offset 1: up from the gateway, ${open.length} B
  number             9
  rssi               -71 dBm
  utc                2026-09-21T14:13:20.123Z
  item
    more             yes
    poll             5
    urgent           no
    route            0x0101 > 0x8002
    packet
      type           up
      suite          0x00
      fragment       no
      node id        0a1b2c3d4e5f
      session        7
      counter        3
      section readings
        log id       c0ffee01
        oldest       1
        first        41
        t0           2026-09-21T14:13:20.000Z
        interval     60 s
        quality      good
        mask         0x0005 1-0:16.7.0 1-0:1.8.0
        row seq 41, measuredAt 2026-09-21T14:13:20.000Z, power_w -250 W, energy_import_kwh 123.4567 kWh
        row seq 42, measuredAt 2026-09-21T14:14:20.000Z, power_w 275 W, energy_import_kwh 123.4608 kWh
summary
  envelopes: 1 up from the gateway
  refused: none
  packets refused: 0
  rows: 2`;
    assert.deepEqual(lines, expected.split('\n'));
  });

  it('shows a sealed packet up to its header', async () => {
    const { out } = await decode(encodeSlip(sealed));
    assert.match(out, /suite +0x01\n/);
    assert.match(out, /sealed +40 B\n/);
    assert.doesNotMatch(out, /section/);
  });

  it('names errors and operations, and says where there is nothing', async () => {
    const result = encodeGatewayEnvelope({ type: 'downResult', token: 1, error: 303 });
    const body = encodeDownSections([
      { kind: 'command', command: 1, operation: 2, arguments: Uint8Array.of(60, 0, 60, 0) },
    ]);
    const packet = sealPlain(encodePacketHeader({ ...header, type: 'down', epoch: 1 }), body);
    const down = encodeHostEnvelope({ type: 'down', token: 1, expiresS: T0_S, hold: true, packet });
    const { out } = await decode(Buffer.concat([encodeSlip(result), encodeSlip(down)]));
    assert.match(out, /error +303 noRoute\n/);
    assert.match(out, /operation +2 setInterval\n +arguments +3c003c00\n/);
    const orphan = loadVectors('sections-up').cases.find(({ name }) => name.startsWith('TELEMETRY of a battery node'));
    assert.ok(orphan);
    const telemetry = await decode(encodeSlip(up(sealPlain(encodePacketHeader(header), fromHex(orphan.hex)))));
    assert.match(telemetry.out, /parent +none\n/);
    assert.match(telemetry.out, /cost +none\n +hops +none\n/);
    assert.match(telemetry.out, /battery +3712 mV\n/);
  });

  it('says where garbage, faults and good envelopes of both directions begin', async () => {
    const flipped = encodeSlip(open);
    flipped[20] = (flipped[20] as number) ^ 1;
    const garbage = Buffer.from('boot v2\n');
    const parts = [garbage, encodeSlip(time), flipped, encodeSlip(open), encodeSlip(Uint8Array.of(0x1f, 1))];
    const { code, out } = await decode(Buffer.concat(parts), '--json');
    assert.equal(code, 0);
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const starts = parts.map((_, index) => Buffer.concat(parts.slice(0, index)).length);
    const first = (part: number) => (starts[part] as number) + 1;
    assert.deepEqual(
      records.slice(0, -1).map(({ offset, from, refused }) => [offset, from ?? refused.reason]),
      [
        [0, 'badCrc'],
        [first(1), 'host'],
        [first(2), 'badCrc'],
        [first(3), 'gateway'],
        [first(4), 'unknownType'],
      ],
    );
    assert.deepEqual(records.at(-1).summary, {
      envelopes: { 'time from the host': 1, 'up from the gateway': 1 },
      refused: { badCrc: 2, unknownType: 1 },
      packetsRefused: 0,
      rows: 2,
    });
  });

  it('shows a malformed packet inside a good envelope', async () => {
    const packet = sealPlain(encodePacketHeader(header), readings);
    packet[30] = (packet[30] as number) ^ 1;
    const { lines } = await decode(encodeSlip(up(packet)));
    assert.ok(lines.some((line) => line.includes('refused') && line.includes('badCrc, 106')));
    assert.ok(lines.includes('  packets refused: 1'));
  });

  it('reads one envelope a line with --raw', async () => {
    const text = `# captured by hand\n\n${Buffer.from(open).toString('hex')}\n16 00 zz\n1600\r\n`;
    const { out } = await decode(text, '--raw', '--json');
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.slice(0, -1).map(({ line, from, refused }) => [line, from ?? refused.reason]),
      [
        [3, 'gateway'],
        [4, 'badField'],
        [5, 'truncated'],
      ],
    );
  });

  it('takes every vector of an envelope for what it is', async () => {
    for (const [kind, from] of [
      ['envelope-gateway', 'gateway'],
      ['envelope-host', 'host'],
    ] as const) {
      for (const { name, hex, valid } of loadVectors(kind).cases) {
        if (!valid) continue;
        const { out } = await decode(hex, '--raw', '--json');
        assert.equal(JSON.parse(out.split('\n')[0] as string).from, from, name);
        assert.doesNotMatch((await decode(hex, '--raw')).out, /undefined|NaN|\[object/, name);
      }
    }
  });

  it('finds the same at the same places however the stream is cut', () => {
    const stream = Buffer.concat([encodeSlip(open), Buffer.from('noise'), encodeSlip(time), encodeSlip(sealed)]);
    const find = (chunks: readonly Uint8Array[]) => {
      const found: Found[] = [];
      const capture = new StreamCapture((one) => found.push(one));
      for (const chunk of chunks) capture.push(chunk);
      capture.end();
      return found;
    };
    const whole = find([stream]);
    assert.equal(whole.length, 4);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
        assert.deepEqual(find(chunks), whole);
      }),
      { seed: 1 },
    );
  });

  it('says what is wrong with its arguments', async () => {
    for (const [options, problem] of [
      [['--jason'], /unknown option "--jason", use --raw or --json/],
      [['other'], /one file at a time/],
      [['--json=yes'], /takes no value/],
    ] as const) {
      const { code, error, out } = await decode('', ...options);
      assert.equal(code, 2);
      assert.match(error, problem);
      assert.equal(out, '');
    }
  });
});

describe('wattmesh', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-cli-'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('decodes a file and exits with 0', async () => {
    const file = join(folder, 'capture.bin');
    writeFileSync(file, Buffer.concat([encodeSlip(open), fromHex('c0ffee')]));
    const { code, out, error } = await wattmesh('decode', file);
    assert.equal(code, 0);
    assert.equal(error, '');
    assert.match(out, /^offset 1: up from the gateway/);
    assert.match(out, /refused: 1 truncated/);
  });

  it('exits with 1 when the file cannot be read, as bytes or as text', async () => {
    for (const options of [[], ['--raw']]) {
      const { code, error } = await wattmesh('decode', join(folder, 'absent.bin'), ...options);
      assert.equal(code, 1);
      assert.match(error, /absent\.bin cannot be read \(ENOENT\)/);
    }
    assert.equal((await wattmesh('decode', folder)).code, 1);
  });

  it('explains itself', async () => {
    const { version } = JSON.parse(readFileSync(join(repoRoot(), 'package.json'), 'utf8'));
    assert.deepEqual(await wattmesh('--version'), { code: 0, out: `${version}\n`, error: '' });
    assert.match((await wattmesh('--help')).out, /wattmesh decode FILE/);
    assert.match((await wattmesh('decode', '--help')).out, /--raw/);
    assert.equal((await wattmesh()).code, 2);
    assert.equal((await wattmesh('decode')).code, 2);
    const unknown = await wattmesh('encode');
    assert.equal(unknown.code, 2);
    assert.match(unknown.error, /unknown command "encode": use decode or radio or sim/);
    assert.match((await wattmesh('--verbose')).error, /unknown option "--verbose"/);
    assert.equal((await wattmesh('toString')).code, 2);
  });

  it('ends quietly when nobody reads on', async () => {
    const file = join(folder, 'long.bin');
    writeFileSync(file, Buffer.concat(Array.from({ length: 2000 }, () => encodeSlip(open))));
    const child = spawn(process.execPath, [CLI, 'decode', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let error = '';
    child.stderr.on('data', (chunk) => {
      error += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(error, '');
    assert.equal(code, 0);
  });
});
