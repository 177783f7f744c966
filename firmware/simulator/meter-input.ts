import type { InputSample } from './input-sample.ts';
import { createHousehold, type Household } from './loads/household.ts';
import { Random } from './random.ts';

/** Registers of a household's meter: all but export, since there is no roof (PROTOCOL.md, "Registers"). */
const REGISTER_MASK = 0x7d;
const ANNUAL_KWH = { min: 1800, max: 5500 } as const;
const FIRST_YEAR = 2025;
/** Registers are ahead of what households use on average, so that they never go back when a month begins. */
const MONTHLY_MARGIN = 1.5;
const DWH_PER_KWH = 10_000;

/**
 * What a simulated meter measures, fixed by the seed, the meter's id and the moment. A lasting meter counts from the beginning of the month in
 * which it is first asked: started again and again, it shows the same values at the same moments of a month and its registers never fall.
 */
export class MeterInput {
  readonly #household: Household;
  readonly #annualKwh: number | undefined;
  #offsetDwh = 0;
  #started = false;

  constructor(seed: string, id: string, lasting: boolean) {
    const { min, max } = ANNUAL_KWH;
    const random = new Random(seed).fork(`household ${id}`);
    this.#annualKwh = lasting ? Math.round(min + (max - min) * random.float()) : undefined;
    this.#household = createHousehold(
      `${seed} ${id}`,
      this.#annualKwh === undefined ? {} : { annualKwh: this.#annualKwh },
    );
  }

  /** Values at a moment, UTC ms; moments ascend. */
  sample(utcMs: number): InputSample {
    if (!this.#started) this.#start(utcMs);
    const values = this.#household.sample(utcMs);
    return { mask: REGISTER_MASK, ...values, importDwh: values.importDwh + this.#offsetDwh };
  }

  #start(utcMs: number): void {
    this.#started = true;
    if (this.#annualKwh === undefined) return;
    const now = new Date(utcMs);
    const months = Math.max(0, 12 * (now.getUTCFullYear() - FIRST_YEAR) + now.getUTCMonth());
    this.#offsetDwh = Math.round((months * MONTHLY_MARGIN * this.#annualKwh * DWH_PER_KWH) / 12);
    this.#household.sample(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));
  }
}
