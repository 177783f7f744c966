import { AEAD_NONCE_BYTES } from './provider.ts';

/**
 * The AEAD nonce 0⁴ ‖ LE64(epoch << 32 | counter): of transport packets (PROTOCOL.md, section 3.1), and with epoch 0 Noise's own (Noise
 * revision 34, section 12.3). Both numbers are u32.
 */
export function packetNonce(counter: number, epoch = 0): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, counter, true);
  view.setUint32(8, epoch, true);
  return nonce;
}
