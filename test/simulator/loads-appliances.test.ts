import assert from 'node:assert/strict';
import { APPLIANCES } from '../../firmware/simulator/loads/appliances.ts';
import { createCalendar, localMidnightMs } from '../../firmware/simulator/loads/calendar.ts';
import { coolerMeanW, drawCoolers, pushCoolerCycles } from '../../firmware/simulator/loads/cooling.ts';
import { planDay } from '../../firmware/simulator/loads/plan.ts';
import { dayShape } from '../../firmware/simulator/loads/profile.ts';
import { uniformFrom } from '../../firmware/simulator/loads/random.ts';
import { drawFleet, expectedLoad, fitStartRates } from '../../firmware/simulator/loads/rates.ts';
import type { Step } from '../../firmware/simulator/loads/steps.ts';

const WORKING_DAY = Date.UTC(2025, 0, 15) / 86_400_000;

describe('appliances', () => {
  it('run for whole seconds, at powers an outlet or cooker connection gives', () => {
    for (const { name, run, hours } of APPLIANCES) {
      assert.match(hours, /^\d{24}$/, name);
      for (let seed = 0; seed < 50; seed++) {
        for (const { seconds, watts } of run(uniformFrom(seed))) {
          assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds < 4 * 3600, `${name}: ${seconds} s`);
          assert.ok(watts >= 0 && watts <= 2700, `${name}: ${watts} W`);
        }
      }
    }
  });

  it('start so often that their expected load is the curve asked for', () => {
    for (let seed = 0; seed < 40; seed++) {
      const target = dayShape(WORKING_DAY + seed).map((multiple) => 400 * multiple - 150);
      const fleet = drawFleet(seed);
      const expected = expectedLoad(fitStartRates(target, fleet), fleet);
      const errors = expected.map((watts, quarter) => Math.abs(watts / (target[quarter] ?? 1) - 1));
      const meanError = errors.reduce((sum, error) => sum + error, 0) / errors.length;
      assert.ok(meanError < 0.01, `household ${seed}: mean error ${meanError}`);
      // The worst quarter hours are before dawn, where little is left to fit and long runs reach in.
      assert.ok(Math.max(...errors) < 0.15, `household ${seed}: worst error ${Math.max(...errors)}`);
    }
  });

  it('wait for each other where a household has one', () => {
    const kind = APPLIANCES.findIndex(({ name }) => name === 'kettle');
    const kettle = APPLIANCES[kind];
    assert.ok(kettle);
    const appliance = { ...kettle, hours: '9'.repeat(24) };
    const calendar = createCalendar();
    const fleet = [{ appliance, kind, size: 1, share: 1 }];
    // One kettle that is on half of the day: without waiting, runs would overlap.
    const steps = planDay({ seed: 1, calendar, meanW: 1000, baseW: 0, fleet, coolers: [] }, WORKING_DAY);
    assert.ok(steps.length > 300);
    assert.ok(peakDw(steps) <= 22_000, `${peakDw(steps)}`);
  });

  it('refuse a household in which nothing may run for an hour', () => {
    const kettle = APPLIANCES.findIndex(({ name }) => name === 'kettle');
    const fleet = drawFleet(1).filter(({ kind }) => kind === kettle);
    assert.equal(fleet.length, 1);
    assert.throws(() => fitStartRates(dayShape(WORKING_DAY), fleet), /no appliance may run at quarter hour 4/);
  });

  it('leave nothing on after their runs', () => {
    const calendar = createCalendar();
    const character = { seed: 3, calendar, meanW: 500, baseW: 150, fleet: drawFleet(3), coolers: drawCoolers(3, 500) };
    const steps = planDay(character, WORKING_DAY);
    assert.equal(
      steps.reduce((sum, { activeDw }) => sum + activeDw, 0),
      0,
    );
    assert.equal(
      steps.reduce((sum, { reactiveDvar }) => sum + reactiveDvar, 0),
      0,
    );
    assert.ok(steps.every(({ atMs }, index) => atMs % 1000 === 0 && atMs >= (steps[index - 1]?.atMs ?? 0)));
    assert.ok((steps[0]?.atMs ?? 0) >= localMidnightMs(calendar, WORKING_DAY));
  });
});

describe('coolers', () => {
  it('draw their mean power, one cycle at a time', () => {
    for (let seed = 0; seed < 20; seed++) {
      for (const cooler of drawCoolers(seed, 400)) {
        const steps: Step[] = [];
        const days = 30;
        pushCoolerCycles(steps, cooler, 0, days * 86_400_000);
        const meanW = energyWs(steps) / (days * 86_400);
        assert.ok(Math.abs(meanW / coolerMeanW(cooler) - 1) < 0.03, `${meanW} W instead of ${coolerMeanW(cooler)}`);
        assert.ok(peakDw(steps) <= 10 * 1.12 * cooler.watts + 1);
      }
    }
  });

  it('are one in a household too small for two', () => {
    for (let seed = 0; seed < 20; seed++) assert.equal(drawCoolers(seed, 150).length, 1);
  });
});

function peakDw(steps: readonly Step[]): number {
  let loadDw = 0;
  let peak = 0;
  for (const { activeDw } of steps) {
    loadDw += activeDw;
    peak = Math.max(peak, loadDw);
  }
  return peak;
}

function energyWs(steps: readonly Step[]): number {
  return steps.reduce((sum, { atMs, activeDw }) => sum - (activeDw / 10) * (atMs / 1000), 0);
}
