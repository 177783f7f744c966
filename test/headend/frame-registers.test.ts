import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { REGISTERS } from '../../nodes/headend/frame/readings.ts';
import { REGISTER_TABLE, toMessageFields } from '../../nodes/headend/metering/obis.ts';

/** The exact decimal of an integer divided by a power of ten, without floating point. */
function decimal(value: number, perUnit: number): string {
  const digits = String(perUnit).length - 1;
  const text = String(Math.abs(value)).padStart(digits + 1, '0');
  const fraction = text.slice(-digits).replace(/0+$/, '');
  const whole = text.slice(0, -digits);
  return `${value < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

describe('registers', () => {
  it('stand in the table exactly once, at the bit that the protocol gives them', () => {
    assert.equal(REGISTER_TABLE.length, REGISTERS.length);
    for (const [bit, { name }] of REGISTERS.entries()) {
      assert.deepEqual(
        REGISTER_TABLE.filter((entry) => entry.bit === bit).map((entry) => entry.name),
        [name],
      );
    }
  });

  it('have the names of PROTOCOL.md', () => {
    const named = Object.fromEntries(REGISTER_TABLE.map(({ bit, obis, field }) => [bit, [obis, field]]));
    assert.deepEqual(named, {
      0: ['1-0:1.8.0', 'energy_import_kwh'],
      1: ['1-0:2.8.0', 'energy_export_kwh'],
      2: ['1-0:16.7.0', 'power_w'],
      3: ['1-0:32.7.0', 'voltage_v'],
      4: ['1-0:31.7.0', 'current_a'],
      5: ['1-0:14.7.0', 'frequency_hz'],
      6: ['1-0:13.7.0', 'power_factor'],
    });
  });

  it('become message fields with decimal values, absent ones staying absent', () => {
    assert.deepEqual(toMessageFields({}), {});
    assert.equal(
      JSON.stringify(toMessageFields({ importDwh: 3, powerDw: -3 })),
      '{"power_w":-0.3,"energy_import_kwh":0.0003}',
    );
    const all = {
      importDwh: 12_345_678,
      exportDwh: 0,
      powerDw: 23_456,
      voltageDv: 2301,
      currentCa: 1019,
      frequencyChz: 5003,
      powerFactorPct: 98,
    };
    assert.deepEqual(toMessageFields(all), {
      power_w: 2345.6,
      energy_import_kwh: 1234.5678,
      energy_export_kwh: 0,
      voltage_v: 230.1,
      current_a: 10.19,
      frequency_hz: 50.03,
      power_factor: 0.98,
    });
  });

  it('print as their exact decimals over their whole ranges', () => {
    for (const entry of REGISTER_TABLE) {
      const { min, max } = REGISTERS[entry.bit] as (typeof REGISTERS)[number];
      fc.assert(
        fc.property(fc.oneof(fc.constantFrom(min, max, 0, 1), fc.integer({ min, max })), (value) => {
          assert.equal(String(toMessageFields({ [entry.name]: value })[entry.field]), decimal(value, entry.perUnit));
        }),
        { seed: entry.bit },
      );
    }
  });
});
