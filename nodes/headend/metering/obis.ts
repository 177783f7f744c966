import type { RegisterName, RegisterValues } from '../frame/readings.ts';

/** A register: how protocol, standards and messages call it. */
export interface RegisterEntry {
  /** Bit in a batch's register mask. */
  readonly bit: number;
  /** Field of a row, an integer in register units. */
  readonly name: RegisterName;
  /** Object identification code, IEC 62056-6-1. */
  readonly obis: string;
  /** Register units per unit of the message field: a power of ten. */
  readonly perUnit: number;
  readonly unit: 'kWh' | 'W' | 'V' | 'A' | 'Hz' | '';
  readonly field: MessageField;
}

export type MessageField =
  | 'power_w'
  | 'energy_import_kwh'
  | 'energy_export_kwh'
  | 'voltage_v'
  | 'current_a'
  | 'frequency_hz'
  | 'power_factor';

/** Values of a message in its own units; only the registers that the meter has. */
export type MessageFields = { [Field in MessageField]?: number };

/** All registers, in the order in which messages show them (PROTOCOL.md, "Registers"). */
export const REGISTER_TABLE: readonly RegisterEntry[] = [
  { bit: 2, name: 'powerDw', obis: '1-0:16.7.0', perUnit: 10, unit: 'W', field: 'power_w' },
  { bit: 0, name: 'importDwh', obis: '1-0:1.8.0', perUnit: 10_000, unit: 'kWh', field: 'energy_import_kwh' },
  { bit: 1, name: 'exportDwh', obis: '1-0:2.8.0', perUnit: 10_000, unit: 'kWh', field: 'energy_export_kwh' },
  { bit: 3, name: 'voltageDv', obis: '1-0:32.7.0', perUnit: 10, unit: 'V', field: 'voltage_v' },
  { bit: 4, name: 'currentCa', obis: '1-0:31.7.0', perUnit: 100, unit: 'A', field: 'current_a' },
  { bit: 5, name: 'frequencyChz', obis: '1-0:14.7.0', perUnit: 100, unit: 'Hz', field: 'frequency_hz' },
  { bit: 6, name: 'powerFactorPct', obis: '1-0:13.7.0', perUnit: 100, unit: '', field: 'power_factor' },
];

/**
 * A row's values in message units. One division of two exact integers rounds to the double nearest to the decimal value, so that every
 * value of at most 15 digits (48-bit registers have 15) prints as its decimal; multiplying by 0.1 would not.
 */
export function toMessageFields(values: RegisterValues): MessageFields {
  const fields: MessageFields = {};
  for (const { name, perUnit, field } of REGISTER_TABLE) {
    const value = values[name];
    if (value !== undefined) fields[field] = value / perUnit;
  }
  return fields;
}
