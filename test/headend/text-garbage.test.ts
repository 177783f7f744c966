import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { toHex } from '../../nodes/headend/bytes.ts';
import { isGoodName } from '../../nodes/headend/device-names.ts';
import {
  formatGatewayPresence,
  formatHostPresence,
  formatTopic,
  parseGatewayPresence,
  parseHostPresence,
  parseTopic,
} from '../../nodes/headend/frame/topics.ts';
import {
  PRELOAD_CHARS_MAX,
  PRELOAD_LINES_MAX,
  parseDeviceKey,
  parseHub,
  parsePsk,
  readDeviceList,
} from '../../nodes/headend/preload.ts';
import {
  DIGIT_GROUPS,
  isDigitGroup,
  labelDigits,
  labelText,
  parseLabelText,
} from '../../nodes/headend/security/label.ts';
import { attempt, CASES, garbageText, shortenStacks } from './garbage.ts';

const GARBAGE_MS_MAX = 120_000;
const HEX = '0123456789abcdef';
const keys = fc.sample(fc.uint8Array({ minLength: 32, maxLength: 32 }), { numRuns: 50, seed: 1 });

/** Judges `CASES` texts; `seen` says of each whether it was taken. */
function everyText(texts: fc.Arbitrary<string>, seen: (text: string) => boolean): void {
  let taken = 0;
  fc.assert(
    fc.property(texts, (text) => {
      taken += seen(text) ? 1 : 0;
    }),
    { numRuns: CASES, seed: 1 },
  );
  assert.ok(taken > CASES / 200, `${taken} of ${CASES} were taken at all`);
}

describe('texts that nobody wrote', function () {
  this.timeout(GARBAGE_MS_MAX);
  shortenStacks();

  it('as labels are refused with a WattmeshError, or are the one text of their key', () => {
    const samples = keys.flatMap((key) => [labelText(key), ` ${labelText(key).toLowerCase()}\n`]);
    everyText(garbageText(samples, 'WM1:ABCXYZ234567', 90), (text) => {
      const key = attempt(() => parseLabelText(text));
      if (key) assert.equal(labelText(key), text.trim().toUpperCase());
      return key !== undefined;
    });
  });

  it('as digits of a label are groups of five digits, or not', () => {
    const samples = keys.flatMap((key) => labelDigits(key));
    everyText(garbageText(samples, '0123456789', 8), (text) => {
      const fitting = Array.from({ length: DIGIT_GROUPS }, (_, index) => index).filter((index) =>
        isDigitGroup(index, text),
      );
      if (fitting.length > 0) assert.match(text, /^[0-9]{5}$/);
      return fitting.length > 0;
    });
  });

  it('as keys, PSKs and hubs are refused with a WattmeshError, or have their one form', () => {
    const samples = [...keys.map(toHex), ...keys.map(labelText), '1', ' 65535 ', '65536', '00001'];
    everyText(garbageText(samples, HEX, 70), (text) => {
      const key = attempt(() => parseDeviceKey(text));
      if (key) assert.ok([toHex(key).toUpperCase(), labelText(key)].includes(text.trim().toUpperCase()));
      const psk = attempt(() => parsePsk(text));
      if (psk) assert.equal(toHex(psk), text.trim().toLowerCase());
      const hub = attempt(() => parseHub(text));
      if (hub !== undefined) assert.equal(hub, Number(text.trim()));
      return key !== undefined || psk !== undefined || hub !== undefined;
    });
  });

  it('as lists of devices come to devices and to faults, line by line', () => {
    const rows = keys.map((key, at) => `${at % 2 === 0 ? toHex(key) : labelText(key)},"Meter, ""${at}""",${at},`);
    const samples = [
      'key,name,hub,psk',
      '\u{feff}Key,Name\r',
      ...rows,
      ...keys.map((key) => `${toHex(key)},,7,${toHex(key)}`),
    ];
    const lists = samples.map((_, at) => samples.slice(at, at + 3).join('\n'));
    everyText(garbageText(lists, `${HEX},",",\n`, 300), (text) => {
      const { devices, faults } = attempt(() => readDeviceList(text)) ?? { devices: [], faults: [] };
      const lines = [...devices, ...faults].map(({ line }) => line);
      assert.equal(new Set(lines).size, lines.length);
      assert.ok(lines.every((line) => line >= 1 && line <= text.split('\n').length));
      assert.equal(new Set(devices.map(({ key }) => key)).size, devices.length);
      for (const { key, name, hub, psk } of devices) {
        assert.match(key, /^[0-9a-f]{64}$/);
        assert.ok(name === '' || isGoodName(name));
        assert.ok(Number.isInteger(hub) && hub >= 0 && hub <= 0xffff);
        assert.ok(psk === undefined || psk.length === 32);
      }
      for (const { message } of faults) assert.doesNotMatch(message, /[0-9a-f]{16}/, 'a fault quotes a secret');
      return devices.length > 0;
    });
  });

  it('as lists of devices cost no more time when they are as long as a list may be', () => {
    const hostile = [
      '"',
      ',',
      ' ',
      '""',
      '" ',
      '"",',
      'a,',
      '\n',
      '\r\n',
      '\u{1f50c}',
      '\ud83d',
      `"${'x'.repeat(398)}`,
    ];
    for (const part of hostile) {
      const line = part.repeat(Math.floor(PRELOAD_CHARS_MAX / part.length));
      attempt(() => readDeviceList(line));
      const lines = `${part.repeat(Math.floor(400 / part.length))}\n`.repeat(PRELOAD_LINES_MAX - 1);
      attempt(() => readDeviceList(lines));
    }
  });

  it('as topics are ours and come back, or are not', () => {
    const samples = ['wattmesh/home/gw-1/up', 'wattmesh/home/gw/down', 'wattmesh/h/0/status', 'wattmesh/demo/host'];
    everyText(garbageText([...samples, `wattmesh/${'x'.repeat(32)}/host`], 'wattmesh/////upost-', 60), (text) => {
      const topic = attempt(() => parseTopic(text));
      if (topic) assert.equal(formatTopic(topic), text);
      return topic !== undefined;
    });
  });

  it('as presence are one of its forms, or nothing', () => {
    const samples = ['', 'online', 'offline', 'online 0123456789abcdef', 'offline fedcba9876543210'];
    everyText(garbageText(samples, `onlife ${HEX}`, 40), (text) => {
      const payload = new TextEncoder().encode(text);
      const gateway = attempt(() => parseGatewayPresence(payload));
      if (gateway !== undefined && text !== '') assert.equal(formatGatewayPresence(gateway), text);
      const host = attempt(() => parseHostPresence(payload));
      if (host) assert.equal(formatHostPresence(host), text);
      return gateway !== undefined || host !== undefined;
    });
  });
});
