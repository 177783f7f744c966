/** A simulated household behind a meter: registers and instantaneous values at any moment, from a seed. */
import { createCalendar, DAY_MS, localDayAt, localMidnightMs } from './calendar.ts';
import { coolerMeanW, drawCoolers } from './cooling.ts';
import { frequencyChz, voltageDv } from './grid.ts';
import { type Character, planDay } from './plan.ts';
import { between, mix, seedWord, uniformFrom, unitAt } from './random.ts';
import { drawFleet } from './rates.ts';
import { solarW } from './solar.ts';
import type { Step } from './steps.ts';

/** What a meter shows at a moment. */
export interface LoadSample {
  /** Import register in 0.1 Wh. */
  importDwh: number;
  /** Export register in 0.1 Wh. */
  exportDwh: number;
  /** Active power in 0.1 W, negative while exporting. */
  powerDw: number;
  /** 0.1 V. */
  voltageDv: number;
  /** Current in 0.01 A, of all phases together. */
  currentCa: number;
  /** 0.01 Hz. */
  frequencyChz: number;
  /** Power factor in 0.01, 0..100. */
  powerFactorPct: number;
}

export interface Household {
  /**
   * Instantaneous values at a moment (UTC ms, an integer). The registers start at the first call, at values drawn from the seed; all else depends
   * on the seed and the moment alone. Calls come in ascending time.
   * @throws RangeError for an earlier time than the call before, and for a time no clock shows.
   */
  sample(utcMs: number): LoadSample;
  /** Stretches of constant power summed into the registers so far: what the calls have cost. */
  readonly stretches: number;
}

export interface HouseholdOptions {
  /** Yearly use in kWh, 1,000..20,000; otherwise drawn between 1,800 and 5,500. */
  annualKwh?: number;
  /** A photovoltaic roof of 0.1..30 kW peak behind the same meter. */
  solar?: { kwPeak: number };
  /** Local time as whole minutes ahead of UTC, -840..840; otherwise Central European time with summer time. */
  utcOffsetMin?: number;
}

/** Between the changes of the load, the small wobble of what runs and the sun are constant for this long. */
const SLOT_MS = 15_000;
/** Wobble of the load: at most this much (0.1 W), and this part of the load. */
const WOBBLE_DW = 12;
const WOBBLE_PART = 0.006;
/** Power supplies on standby lead: reactive per active power. */
const STANDBY_TAN_PHI = -0.9;
/** Energy of one register step of 0.1 Wh in 0.1 W x ms. */
const DW_MS_PER_DWH = 3_600_000;
/** A longer jump is a mistake in the caller's units. */
const ADVANCE_DAYS_MAX = 3700;
const UTC_MS_MAX = Date.UTC(2200, 0, 1);

/** Positions under which a household's parts take their own seeds. */
const SEED = { character: 1, fleet: 2, coolers: 3, days: 4, wobble: 5, grid: 6, clouds: 7, registers: 8 } as const;

/**
 * A household whose power is standby, coolers and appliances that switch as the BDEW profile H25 lets expect, less an optional solar roof.
 * @throws RangeError for options out of range.
 */
export function createHousehold(seed: string | number, options: HouseholdOptions = {}): Household {
  requireRange('annualKwh', options.annualKwh, 1000, 20_000);
  requireRange('solar.kwPeak', options.solar?.kwPeak, 0.1, 30);
  requireRange('utcOffsetMin', options.utcOffsetMin, -840, 840);
  if (!Number.isInteger(options.utcOffsetMin ?? 0)) {
    throw new RangeError(`household option utcOffsetMin is ${options.utcOffsetMin}: give whole minutes`);
  }
  return new SimulatedHousehold(seedWord(seed), options);
}

function requireRange(name: string, value: number | undefined, low: number, high: number): void {
  if (value === undefined || (value >= low && value <= high)) return;
  throw new RangeError(`household option ${name} is ${value}: give a number from ${low} to ${high}`);
}

class SimulatedHousehold implements Household {
  stretches = 0;
  private readonly seed: number;
  private readonly character: Character;
  private readonly kwPeak: number;
  private readonly connectionOhm: number;
  private readonly slotShiftMs: number;

  private nowMs = Number.NaN;
  /** Switched load and standby together. */
  private loadDw = 0;
  private loadDvar = 0;
  /** Load changes of the planned days that lie ahead, from `nextStep` on. */
  private steps: Step[] = [];
  private nextStep = 0;
  private nextDay = 0;
  private plannedUntilMs = 0;

  private slotEndMs = 0;
  private wobble = 0;
  private solarDw = 0;

  private importDwh = 0;
  private importRestDwMs = 0;
  private exportDwh = 0;
  private exportRestDwMs = 0;

  constructor(seed: number, options: HouseholdOptions) {
    const uniform = uniformFrom(mix(seed, SEED.character));
    // Small households are more common than large ones.
    const drawnKwh = 1800 + 3700 * uniform() ** 1.5;
    const meanW = ((options.annualKwh ?? drawnKwh) * 1000) / (365 * 24);
    const coolers = drawCoolers(mix(seed, SEED.coolers), meanW);
    const coolersW = coolers.reduce((sum, cooler) => sum + coolerMeanW(cooler), 0);
    // H25's nights fall to 0.53 of the mean; the base stays below, and what is left switches.
    const standbyW = Math.max(0.08 * meanW, between(uniform, 0.3, 0.44) * meanW - coolersW);
    this.seed = seed;
    this.kwPeak = options.solar?.kwPeak ?? 0;
    this.connectionOhm = between(uniform, 0.1, 0.25);
    this.slotShiftMs = Math.floor((uniform() * SLOT_MS) / 1000) * 1000;
    this.character = {
      seed: mix(seed, SEED.days),
      calendar: createCalendar(options.utcOffsetMin),
      meanW,
      baseW: standbyW + coolersW,
      fleet: drawFleet(mix(seed, SEED.fleet)),
      coolers,
    };
    this.loadDw = Math.round(10 * standbyW);
    this.loadDvar = Math.round(this.loadDw * STANDBY_TAN_PHI);
  }

  sample(utcMs: number): LoadSample {
    if (!Number.isSafeInteger(utcMs) || utcMs < 0 || utcMs > UTC_MS_MAX) {
      throw new RangeError(`household sampled at ${utcMs}: give whole milliseconds since 1970, up to the year 2200`);
    }
    if (Number.isNaN(this.nowMs)) this.start(utcMs);
    if (utcMs < this.nowMs) {
      throw new RangeError(
        `household sampled at ${utcMs}, before the last call at ${this.nowMs}: calls must come in ascending time`,
      );
    }
    if (utcMs > this.nowMs + ADVANCE_DAYS_MAX * DAY_MS) {
      throw new RangeError(
        `household sampled at ${utcMs}, over ${ADVANCE_DAYS_MAX} days after the last call: check the unit (ms)`,
      );
    }
    this.advance(utcMs);
    return this.show();
  }

  /** Sets the registers and brings the load to the first moment, through what began the day before. */
  private start(utcMs: number): void {
    const { calendar } = this.character;
    const firstDay = localDayAt(calendar, utcMs) - 1;
    this.nextDay = firstDay;
    this.plannedUntilMs = localMidnightMs(calendar, firstDay);
    this.nowMs = utcMs;
    this.settle();
    const registers = mix(this.seed, SEED.registers);
    this.importDwh = Math.round(10_000 * (1000 + 39_000 * unitAt(registers, 0)));
    if (this.kwPeak > 0) this.exportDwh = Math.round(10_000 * 1000 * this.kwPeak * (0.2 + 2 * unitAt(registers, 1)));
  }

  private advance(utcMs: number): void {
    while (this.nowMs < utcMs) {
      const stepMs = this.steps[this.nextStep]?.atMs ?? utcMs;
      const untilMs = Math.min(utcMs, stepMs, this.slotEndMs, this.plannedUntilMs);
      this.integrate(untilMs - this.nowMs);
      this.nowMs = untilMs;
      this.settle();
    }
  }

  /** Makes the load that of the present moment: plans days that have begun, takes the steps that are due, enters the present slot. */
  private settle(): void {
    while (this.plannedUntilMs <= this.nowMs) {
      const planned = planDay(this.character, this.nextDay);
      this.steps = mergeSteps(this.steps.slice(this.nextStep), planned);
      this.nextStep = 0;
      this.nextDay++;
      this.plannedUntilMs = localMidnightMs(this.character.calendar, this.nextDay);
    }
    for (let step = this.steps[this.nextStep]; step !== undefined && step.atMs <= this.nowMs; ) {
      this.loadDw += step.activeDw;
      this.loadDvar += step.reactiveDvar;
      step = this.steps[++this.nextStep];
    }
    if (this.nowMs >= this.slotEndMs) this.enterSlot();
  }

  private enterSlot(): void {
    const slot = Math.floor((this.nowMs - this.slotShiftMs) / SLOT_MS);
    const startMs = slot * SLOT_MS + this.slotShiftMs;
    this.slotEndMs = startMs + SLOT_MS;
    this.wobble = 2 * unitAt(mix(this.seed, SEED.wobble), slot) - 1;
    if (this.kwPeak > 0) {
      this.solarDw = Math.round(10 * solarW(mix(this.seed, SEED.clouds), this.kwPeak, startMs + SLOT_MS / 2));
    }
  }

  /** Power at the meter now (0.1 W). */
  private powerDw(): number {
    const wobbleDw = Math.round(this.wobble * (WOBBLE_DW + WOBBLE_PART * this.loadDw));
    return this.loadDw + wobbleDw - this.solarDw;
  }

  private integrate(durationMs: number): void {
    this.stretches++;
    const energyDwMs = this.powerDw() * durationMs;
    if (energyDwMs >= 0) {
      this.importRestDwMs += energyDwMs;
      const whole = Math.floor(this.importRestDwMs / DW_MS_PER_DWH);
      this.importDwh += whole;
      this.importRestDwMs -= whole * DW_MS_PER_DWH;
    } else {
      this.exportRestDwMs -= energyDwMs;
      const whole = Math.floor(this.exportRestDwMs / DW_MS_PER_DWH);
      this.exportDwh += whole;
      this.exportRestDwMs -= whole * DW_MS_PER_DWH;
    }
  }

  private show(): LoadSample {
    const powerDw = this.powerDw();
    const apparentDva = Math.hypot(powerDw, this.loadDvar);
    const dv = voltageDv(mix(this.seed, SEED.grid), this.nowMs, powerDw, this.connectionOhm);
    return {
      importDwh: this.importDwh,
      exportDwh: this.exportDwh,
      powerDw,
      voltageDv: dv,
      currentCa: Math.round((100 * apparentDva) / dv),
      frequencyChz: frequencyChz(this.nowMs),
      powerFactorPct: apparentDva === 0 ? 100 : Math.round((100 * Math.abs(powerDw)) / apparentDva),
    };
  }
}

/** Both lists in one, ascending. */
function mergeSteps(ahead: readonly Step[], planned: readonly Step[]): Step[] {
  return [...ahead, ...planned].sort((a, b) => a.atMs - b.atMs);
}
