/**
 * What runs in a household: each appliance's run as a list of constant powers, and when in the day it tends to be used. Powers and durations
 * are those of ordinary European devices (rating plates, programme tables).
 */
import { between, type Uniform } from './random.ts';

/** A constant power for a whole number of seconds. */
export interface Phase {
  readonly seconds: number;
  readonly watts: number;
}

export interface Appliance {
  readonly name: string;
  /** Part of the switched energy it gets where all appliances are equally likely; only the ratios matter. */
  readonly share: number;
  /** Part of the households that own it. */
  readonly owned: number;
  /** Likelihood of use in each hour of the day, one digit 0..9 per hour from 00:00. */
  readonly hours: string;
  /** Reactive power per active power: tan phi, positive inductive (motors), negative capacitive (power supplies). */
  readonly tanPhi: number;
  /** True where a household has one, so that a second run waits for the end of the first. */
  readonly single: boolean;
  /** Phases of one run. */
  readonly run: (uniform: Uniform) => Phase[];
}

function phase(seconds: number, watts: number): Phase {
  return { seconds: Math.max(1, Math.round(seconds)), watts };
}

/** One constant power for some minutes. */
function steady(watts: readonly [number, number], minutes: readonly [number, number]): Appliance['run'] {
  return (uniform) => [phase(60 * between(uniform, ...minutes), between(uniform, ...watts))];
}

/** A heater that a thermostat switches on and off for some minutes after its warm-up. */
function thermostat(
  uniform: Uniform,
  watts: number,
  warmUpS: number,
  minutes: number,
  onS: number,
  offS: number,
): Phase[] {
  const phases = [phase(warmUpS, watts)];
  const cycles = Math.round((60 * minutes) / (onS + offS));
  for (let cycle = 0; cycle < cycles; cycle++) {
    phases.push(phase(offS * between(uniform, 0.8, 1.2), 0), phase(onS * between(uniform, 0.8, 1.2), watts));
  }
  return phases;
}

/** A drum that turns and pauses. */
function tumble(uniform: Uniform, minutes: number, watts: number): Phase[] {
  const phases: Phase[] = [];
  for (let turn = 0; turn < Math.round(minutes * 2); turn++) {
    phases.push(phase(18, watts * between(uniform, 0.85, 1.15)), phase(12, 8));
  }
  return phases;
}

function washingRun(uniform: Uniform): Phase[] {
  return [
    phase(120, 60),
    phase(60 * between(uniform, 8, 22), between(uniform, 1900, 2200)),
    ...tumble(uniform, between(uniform, 25, 45), 160),
    phase(90, 320),
    ...tumble(uniform, 8, 160),
    phase(60 * between(uniform, 4, 9), between(uniform, 380, 560)),
  ];
}

function dishwasherRun(uniform: Uniform): Phase[] {
  const heater = between(uniform, 1850, 2150);
  return [
    phase(60 * between(uniform, 5, 10), 70),
    phase(60 * between(uniform, 11, 17), heater),
    phase(60 * between(uniform, 25, 40), 75),
    phase(60 * between(uniform, 9, 14), heater),
    phase(60 * between(uniform, 8, 20), 25),
  ];
}

function coffeeRun(uniform: Uniform): Phase[] {
  const watts = between(uniform, 1150, 1450);
  return [
    phase(between(uniform, 40, 70), watts),
    phase(between(uniform, 60, 200), 45),
    phase(between(uniform, 25, 60), watts),
  ];
}

/** The switched appliances. Those that run for hours carry the nights, the short and strong ones the meals. */
export const APPLIANCES: readonly Appliance[] = [
  {
    name: 'lights',
    share: 0.13,
    owned: 1,
    hours: '521111465322333457999998',
    tanPhi: -0.4,
    single: false,
    run: steady([10, 60], [10, 120]),
  },
  {
    name: 'television',
    share: 0.12,
    owned: 0.95,
    hours: '421111122233344456899998',
    tanPhi: -0.3,
    single: false,
    run: steady([55, 150], [45, 180]),
  },
  {
    name: 'computer',
    share: 0.11,
    owned: 0.9,
    hours: '532222235777777777778876',
    tanPhi: -0.35,
    single: false,
    run: steady([35, 160], [40, 200]),
  },
  {
    name: 'ventilation',
    share: 0.05,
    owned: 1,
    hours: '999999865444444444445678',
    tanPhi: 0.5,
    single: false,
    run: steady([25, 70], [60, 180]),
  },
  {
    name: 'circulation pump',
    share: 0.03,
    owned: 0.9,
    hours: '999999865444444444445678',
    tanPhi: 0.75,
    single: false,
    run: steady([40, 75], [8, 25]),
  },
  {
    name: 'kettle',
    share: 0.05,
    owned: 0.95,
    hours: '100001699765556675444432',
    tanPhi: 0,
    single: true,
    run: steady([1800, 2200], [1.5, 4]),
  },
  {
    name: 'coffee machine',
    share: 0.03,
    owned: 0.8,
    hours: '000013899864345664211100',
    tanPhi: 0,
    single: true,
    run: coffeeRun,
  },
  {
    name: 'microwave oven',
    share: 0.03,
    owned: 0.75,
    hours: '100001344334897435998432',
    tanPhi: 0.2,
    single: true,
    run: steady([900, 1350], [1.5, 6]),
  },
  {
    name: 'cooker',
    share: 0.15,
    owned: 0.9,
    hours: '000000244346996433798410',
    tanPhi: 0,
    single: true,
    run: (uniform) =>
      thermostat(uniform, between(uniform, 1200, 2200), between(uniform, 180, 400), between(uniform, 5, 30), 35, 45),
  },
  {
    name: 'oven',
    share: 0.07,
    owned: 0.85,
    hours: '000000011347875567996310',
    tanPhi: 0,
    single: true,
    run: (uniform) =>
      thermostat(uniform, between(uniform, 2000, 2700), between(uniform, 420, 720), between(uniform, 15, 50), 100, 190),
  },
  {
    name: 'washing machine',
    share: 0.07,
    owned: 0.95,
    hours: '000000268999877666554310',
    tanPhi: 0.25,
    single: true,
    run: washingRun,
  },
  {
    name: 'dishwasher',
    share: 0.07,
    owned: 0.75,
    hours: '100000123333457644469974',
    tanPhi: 0.1,
    single: true,
    run: dishwasherRun,
  },
  {
    name: 'tumble dryer',
    share: 0.06,
    owned: 0.45,
    hours: '000000012467888777665420',
    tanPhi: 0.15,
    single: true,
    run: (uniform) => thermostat(uniform, between(uniform, 1700, 2400), 900, between(uniform, 25, 55), 240, 60),
  },
  {
    name: 'vacuum cleaner',
    share: 0.015,
    owned: 1,
    hours: '000000002699864566642000',
    tanPhi: 0.3,
    single: true,
    run: steady([550, 1200], [8, 25]),
  },
  {
    name: 'hair dryer',
    share: 0.012,
    owned: 0.7,
    hours: '000001599752222223344321',
    tanPhi: 0,
    single: true,
    run: steady([900, 1900], [2, 9]),
  },
];
