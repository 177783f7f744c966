import { Writer } from '../../nodes/headend/bytes.ts';
import type { LoadSample } from './loads/household.ts';

/** What a meter's input shows. `mask`: the registers that it has (PROTOCOL.md, "Registers"). */
export interface InputSample extends LoadSample {
  readonly mask: number;
}

/** As the firmware reads them: mask u16, import u48, export u48, power i32, voltage, current and frequency u16, power factor i8. */
export function registerBytes(sample: InputSample): Uint8Array {
  return new Writer(25)
    .u16(sample.mask)
    .u48(sample.importDwh)
    .u48(sample.exportDwh)
    .u32(sample.powerDw >>> 0)
    .u16(sample.voltageDv)
    .u16(sample.currentCa)
    .u16(sample.frequencyChz)
    .i8(sample.powerFactorPct)
    .finish();
}
