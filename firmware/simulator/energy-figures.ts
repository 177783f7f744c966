/** Chips whose currents are known. */
export const CHIPS = ['esp32', 'esp8266'] as const;
export type Chip = (typeof CHIPS)[number];

/** Currents of the whole chip, mA. */
export interface Currents {
  readonly txMilliAmp: number;
  readonly rxMilliAmp: number;
  readonly sleepMilliAmp: number;
}

/** Data sheets: sending 802.11b at full power, the receiver on, deep sleep with the RTC and its memory. */
const CURRENTS: Readonly<Record<Chip, Currents>> = {
  esp32: { txMilliAmp: 240, rxMilliAmp: 100, sleepMilliAmp: 0.01 },
  esp8266: { txMilliAmp: 215, rxMilliAmp: 60, sleepMilliAmp: 0.02 },
};

export const SUPPLY_VOLT = 3.3;
/** Of an ESP32, mA. */
export const TX_MILLIAMP = CURRENTS.esp32.txMilliAmp;
export const RX_MILLIAMP = CURRENTS.esp32.rxMilliAmp;

/** Measured from deep sleep to a frame of 40 B that was acknowledged: 119 ms and 7.7 mC, 1.53 ms of it on the radio (856 us sending). */
export const BOOT_AND_SEND_MILLICOULOMB = 7.7;
const SEND = { seconds: 1.53e-3, milliCoulomb: 0.856e-3 * 240 + (1.53e-3 - 0.856e-3) * 100 };

/**
 * Waking up: with the radio, what is left of that measurement without the sending, on both chips; for a look at the meter alone 60 ms at
 * 31 mA, an estimate (the ESP32's data sheet at 80 MHz with the radio off).
 */
export const WAKES = {
  awake: { seconds: 0.119 - SEND.seconds, milliCoulomb: BOOT_AND_SEND_MILLICOULOMB - SEND.milliCoulomb },
  brief: { seconds: 0.06, milliCoulomb: 0.06 * 31 },
} as const;

/** A serial flash, typical figures of the W25Q32: a page written, a sector erased, and the current in both, beside the chip's own. */
export const FLASH = { writeS: 0.7e-3, eraseS: 45e-3, milliAmp: 20 } as const;

/** Two alkaline AA cells in series: 2,600 mAh, of which 80 % can be used down to the voltage at which the chip stops; 3 % a year go by themselves. */
const CELLS = { milliAmpHour: 2600, usable: 0.8, selfDischargePerYear: 0.03 } as const;
const HOURS_PER_YEAR = 8766;

/** Years for which two AA cells last at a mean current of so many mA. */
export function yearsOnBatteries(milliAmp: number): number {
  const perYear = milliAmp * HOURS_PER_YEAR + CELLS.selfDischargePerYear * CELLS.milliAmpHour;
  return (CELLS.milliAmpHour * CELLS.usable) / perYear;
}

export function currentsOf(chip: Chip): Currents {
  return CURRENTS[chip];
}
