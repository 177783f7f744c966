import { qrContent } from './qr-codewords.ts';
import { MASKS } from './qr-format.ts';
import { type QrModules, qrMatrix } from './qr-matrix.ts';
import { penalty } from './qr-penalty.ts';

/** Light modules around a symbol (ISO/IEC 18004, section 9.1). */
const QUIET_ZONE = 4;

/** The modules of a text's QR code (ISO/IEC 18004): alphanumeric mode, level M, smallest version, best mask. `badField` for other texts. */
export function qrModules(text: string): QrModules {
  const content = qrContent(text);
  const symbols = MASKS.map((_mask, index) => qrMatrix(content, index));
  const penalties = symbols.map(penalty);
  return symbols[penalties.indexOf(Math.min(...penalties))] as QrModules;
}

/** The QR code of a text of digits, capital letters and $%*+-./: as an SVG picture: one unit a module, dark on light. `badField` for other texts. */
export function qrSvg(text: string): string {
  const modules = qrModules(text);
  const size = modules.length + 2 * QUIET_ZONE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img">`,
    `<title>${text}</title>`,
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/>`,
    `<path fill="#000" d="${modules.map(rowPath).join('')}"/>`,
    '</svg>',
  ].join('');
}

/** Each run of dark modules as one rectangle. */
function rowPath(row: readonly boolean[], index: number): string {
  const line = row.map((dark) => (dark ? '1' : '0')).join('');
  return [...line.matchAll(/1+/g)]
    .map(({ 0: run, index: start }) => `M${start + QUIET_ZONE} ${index + QUIET_ZONE}h${run.length}v1h-${run.length}z`)
    .join('');
}
