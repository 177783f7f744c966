import assert from 'node:assert/strict';
import { createHousehold, type HouseholdOptions } from '../../firmware/simulator/loads/household.ts';
import { clearSky, solarW } from '../../firmware/simulator/loads/solar.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2025, 3, 14, 22);

describe('household', () => {
  it('is the same for the same seed and another for another', () => {
    const powers = (seed: string | number) => {
      const household = createHousehold(seed);
      return Array.from({ length: 600 }, (_, minute) => household.sample(START_MS + minute * MINUTE_MS));
    };
    assert.deepEqual(powers('meter 1'), powers('meter 1'));
    assert.notDeepEqual(powers('meter 1'), powers('meter 2'));
    assert.notDeepEqual(powers(1), powers(2));
  });

  it('shows the same registers however often it is asked', () => {
    const often = createHousehold('cadence', { solar: { kwPeak: 6 } });
    const rarely = createHousehold('cadence', { solar: { kwPeak: 6 } });
    rarely.sample(START_MS);
    for (let ms = START_MS; ms < START_MS + 2 * DAY_MS; ms += 7 * SECOND_MS) often.sample(ms);
    assert.deepEqual(often.sample(START_MS + 2 * DAY_MS), rarely.sample(START_MS + 2 * DAY_MS));
  });

  it('draws the same power whenever it was started', () => {
    const early = createHousehold('restart');
    const late = createHousehold('restart');
    early.sample(START_MS - 9 * DAY_MS);
    for (let ms = START_MS + 37; ms < START_MS + DAY_MS; ms += 5 * MINUTE_MS) {
      assert.equal(late.sample(ms).powerDw, early.sample(ms).powerDw);
    }
  });

  it('starts with registers between 1,000 and 40,000 kWh that the seed draws', () => {
    const registers = Array.from({ length: 50 }, (_, seed) => createHousehold(seed).sample(START_MS));
    for (const { importDwh, exportDwh } of registers) {
      assert.ok(importDwh >= 1e7 && importDwh <= 4e8, `${importDwh}`);
      assert.equal(exportDwh, 0);
    }
    assert.ok(new Set(registers.map(({ importDwh }) => importDwh)).size > 45);
  });

  for (const [name, options] of [
    ['without a roof', {}],
    ['with a solar roof', { solar: { kwPeak: 8 } }],
  ] as [string, HouseholdOptions][]) {
    it(`counts exactly the energy of the power it shows, ${name}`, () => {
      const household = createHousehold('integral', options);
      const first = household.sample(START_MS);
      let last = first;
      let importDwS = 0;
      let exportDwS = 0;
      for (let second = 1; second <= 86_400; second++) {
        // Loads change at whole seconds, so that the power holds for the second.
        if (last.powerDw > 0) importDwS += last.powerDw;
        else exportDwS -= last.powerDw;
        const next = household.sample(START_MS + second * SECOND_MS);
        assert.ok(next.importDwh >= last.importDwh && next.exportDwh >= last.exportDwh);
        last = next;
      }
      assert.equal(last.importDwh - first.importDwh, Math.floor(importDwS / 3600));
      assert.equal(last.exportDwh - first.exportDwh, Math.floor(exportDwS / 3600));
      assert.ok(importDwS > 0);
      assert.equal(exportDwS > 0, options.solar !== undefined);
    });
  }

  it('shows integers that agree with each other and with the grid', () => {
    for (const options of [{}, { solar: { kwPeak: 10 } }]) {
      const household = createHousehold('grid', options);
      const seen = { frequency: new Set<number>(), factor: new Set<number>() };
      for (let ms = START_MS; ms < START_MS + 2 * DAY_MS; ms += MINUTE_MS) {
        const sample = household.sample(ms);
        for (const [field, value] of Object.entries(sample))
          assert.ok(Number.isSafeInteger(value), `${field} ${value}`);
        assert.ok(sample.voltageDv >= 2070 && sample.voltageDv <= 2530, `${sample.voltageDv}`);
        assert.ok(Math.abs(sample.frequencyChz - 5000) <= 5, `${sample.frequencyChz}`);
        assert.ok(sample.powerFactorPct >= 0 && sample.powerFactorPct <= 100);
        const apparentW = (sample.voltageDv / 10) * (sample.currentCa / 100);
        const activeW = (apparentW * sample.powerFactorPct) / 100;
        // Rounding: half of 0.01 A at 230 V and half of 0.01 of the power factor.
        assert.ok(Math.abs(activeW - Math.abs(sample.powerDw) / 10) <= 1.3 + 0.006 * apparentW);
        seen.frequency.add(sample.frequencyChz);
        seen.factor.add(sample.powerFactorPct);
      }
      assert.ok(seen.frequency.size >= 5, 'the frequency moves');
      assert.ok(seen.factor.size >= 20, 'the power factor depends on what runs');
    }
  });

  it('drops the voltage under load', () => {
    const household = createHousehold('drop');
    const light: number[] = [];
    const heavy: number[] = [];
    for (let ms = START_MS; ms < START_MS + 14 * DAY_MS; ms += MINUTE_MS) {
      const { powerDw, voltageDv } = household.sample(ms);
      if (powerDw > 20_000) heavy.push(voltageDv);
      if (powerDw < 5_000) light.push(voltageDv);
    }
    assert.ok(heavy.length > 30);
    assert.ok(mean(light) - mean(heavy) > 5, `${mean(light)} ${mean(heavy)}`);
  });

  it('refuses to go back, times that are no times, and leaps', () => {
    const household = createHousehold('errors');
    household.sample(START_MS);
    household.sample(START_MS);
    assert.throws(() => household.sample(START_MS - 1), /ascending/);
    assert.throws(() => household.sample(START_MS + 0.5), /whole milliseconds/);
    assert.throws(() => household.sample(Number.NaN), /whole milliseconds/);
    assert.throws(() => household.sample(START_MS + 4000 * DAY_MS), /check the unit/);
    household.sample(START_MS + 1);
  });

  it('refuses options out of range', () => {
    assert.throws(() => createHousehold(1, { annualKwh: 999 }), /annualKwh is 999/);
    assert.throws(() => createHousehold(1, { annualKwh: Number.NaN }), /annualKwh/);
    assert.throws(() => createHousehold(1, { solar: { kwPeak: 31 } }), /kwPeak is 31/);
    assert.throws(() => createHousehold(1, { utcOffsetMin: 841 }), /utcOffsetMin is 841/);
    assert.throws(() => createHousehold(1, { utcOffsetMin: 0.5 }), /whole minutes/);
  });

  it('costs what changes, not what passes', () => {
    const household = createHousehold('cost');
    household.sample(START_MS);
    const costOf = (calls: number, advanceMs: number, fromMs: number) => {
      const before = household.stretches;
      for (let call = 1; call <= calls; call++) household.sample(fromMs + call * advanceMs);
      return household.stretches - before;
    };
    // One stretch a call and one more for each of the 240 slots of 15 s and each switching in the hour.
    assert.ok(costOf(3600, SECOND_MS, START_MS) <= 3600 + 600);
    assert.ok(costOf(1, HOUR_MS, START_MS + HOUR_MS) <= 240 + 600);
    // 5,760 slots a day; switching adds less than half as many.
    assert.ok(costOf(1, 10 * DAY_MS, START_MS + 2 * HOUR_MS) <= 10 * 5760 * 1.5);
  });

  it('lives through the changes of the clock', () => {
    for (const changeMs of [Date.UTC(2025, 2, 30, 1), Date.UTC(2025, 9, 26, 1)]) {
      const household = createHousehold('clock');
      const fromMs = changeMs - 2 * DAY_MS;
      const before = household.sample(fromMs).importDwh;
      for (let ms = fromMs; ms <= changeMs + 2 * DAY_MS; ms += 10 * MINUTE_MS) {
        assert.ok(household.sample(ms).powerDw > 0);
      }
      const kwh = (household.sample(changeMs + 2 * DAY_MS).importDwh - before) / 10_000;
      assert.ok(kwh > 8 && kwh < 80, `${kwh} kWh in four days`);
    }
  });

  it('has its solar noon at ten degrees east', () => {
    const midsummer = Date.UTC(2025, 5, 21);
    const minutes = Array.from({ length: 1440 }, (_, minute) => clearSky(midsummer + minute * MINUTE_MS));
    assert.equal(minutes.indexOf(Math.max(...minutes)), 11 * 60 + 20);
    // The sun is up for 16.5 hours there on the longest day, 8 on the shortest; it reaches a roof to the south for less in summer.
    const litHours = minutes.filter((irradiance) => irradiance > 0).length / 60;
    assert.ok(litHours > 12 && litHours < 16.5, `${litHours} h`);
    const winter = Array.from({ length: 1440 }, (_, minute) => clearSky(Date.UTC(2025, 11, 21) + minute * MINUTE_MS));
    assert.ok(Math.max(...winter) > 0.25 && Math.max(...winter) < 0.7 * Math.max(...minutes), `${Math.max(...winter)}`);
  });

  it('exports by day only, as much over a year as a German roof', () => {
    const household = createHousehold('roof', { solar: { kwPeak: 10 } });
    const plain = createHousehold('roof');
    let exportedByDay = 0;
    for (let ms = START_MS; ms < START_MS + 7 * DAY_MS; ms += MINUTE_MS) {
      const withRoof = household.sample(ms).powerDw;
      const withoutRoof = plain.sample(ms).powerDw;
      assert.ok(withRoof <= withoutRoof);
      if (clearSky(ms - MINUTE_MS) === 0 && clearSky(ms + MINUTE_MS) === 0) assert.equal(withRoof, withoutRoof);
      else if (withRoof < 0) exportedByDay++;
    }
    assert.ok(exportedByDay > 500);
    // Yields of 850-1,100 kWh per kW peak are usual in Germany.
    let yieldKwh = 0;
    for (let ms = Date.UTC(2025, 0, 1); ms < Date.UTC(2026, 0, 1); ms += 5 * MINUTE_MS)
      yieldKwh += solarW(1, 1, ms) / 12_000;
    assert.ok(yieldKwh > 850 && yieldKwh < 1100, `${yieldKwh} kWh`);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
