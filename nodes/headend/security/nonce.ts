import { AEAD_NONCE_BYTES } from './provider.ts';

/**
 * The AEAD nonce 0⁴ ‖ LE64(epoch << 32 | counter): of transport packets (PROTOCOL.md, section 3.1), and with epoch 0 Noise's own (Noise
 * revision 34, section 12.3). Both numbers are u32.
 */
export function packetNonce(counter: number, epoch = 0): Uint8Array {
  const nonce = new Uint8Array(AEAD_NONCE_BYTES);
  writePacketNonce(nonce, counter, epoch);
  return nonce;
}

/** Makes `nonce` that of another packet: for opening, which asks for one nonce after the other. */
export function writePacketNonce(nonce: Uint8Array, counter: number, epoch = 0): void {
  for (let byte = 0; byte < 4; byte++) {
    nonce[4 + byte] = counter >>> (8 * byte);
    nonce[8 + byte] = epoch >>> (8 * byte);
  }
}
