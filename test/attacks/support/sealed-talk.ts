import { decodePacket, PACKET_TYPES, UP_HEADER_BYTES } from '../../../nodes/headend/frame/packet.ts';
import {
  type Ack,
  type DownSection,
  decodeDownSections,
  decodeUpSections,
  type UpSection,
} from '../../../nodes/headend/frame/sections.ts';
import type { CryptoProvider } from '../../../nodes/headend/security/provider.ts';

interface Spoken<Section> {
  readonly nodeId: string;
  readonly session: number;
  /** Owner epoch; of downlinks only. */
  readonly epoch: number;
  readonly counter: number;
  readonly atS: number;
  readonly sections: readonly Section[];
}

/** What a head-end opened and sealed, read where it has the keys: in its cryptography. */
export class SealedTalk {
  /** Transport packets whose tag verified, as often as they came, and those that were sealed. */
  readonly up: Spoken<UpSection>[] = [];
  readonly down: Spoken<DownSection>[] = [];

  /** The same provider, all of whose transport packets are noted here. */
  watched(provider: CryptoProvider, nowS: () => number): CryptoProvider {
    return {
      ...provider,
      aeadSeal: (key, nonce, aad, plaintext) => {
        if (isHeader(aad, 'down'))
          this.down.push({ ...spoken(aad), atS: nowS(), sections: decodeDownSections(plaintext) });
        return provider.aeadSeal(key, nonce, aad, plaintext);
      },
      aeadOpen: (key, nonce, aad, ciphertext) => {
        const plaintext = provider.aeadOpen(key, nonce, aad, ciphertext);
        if (plaintext && isHeader(aad, 'up'))
          this.up.push({ ...spoken(aad), atS: nowS(), sections: decodeUpSections(plaintext) });
        return plaintext;
      },
    };
  }

  /** Acknowledgements to a node, oldest first. */
  acks(nodeId: string): Ack[] {
    return this.down
      .filter((packet) => packet.nodeId === nodeId)
      .flatMap(({ sections }) => sections.filter((section) => section.kind === 'ack'));
  }

  /** Seqs of the rows in a node's packets from a moment on, in the order of their coming. */
  rowsUp(nodeId: string, fromS = 0): number[] {
    return this.up
      .filter((packet) => packet.nodeId === nodeId && packet.atS >= fromS)
      .flatMap(({ sections }) => sections.filter((section) => section.kind === 'readings'))
      .flatMap(({ first, rows }) => rows.map((_, index) => first + index));
  }
}

/** Handshakes and the key table have associated data of their own: hashes, and texts. */
function isHeader(aad: Uint8Array, type: 'up' | 'down'): boolean {
  return (
    aad.length === (type === 'up' ? UP_HEADER_BYTES : UP_HEADER_BYTES + 4) &&
    ((aad[0] ?? 0) & 0x0f) === PACKET_TYPES[type]
  );
}

function spoken(header: Uint8Array): Pick<Spoken<never>, 'nodeId' | 'session' | 'epoch' | 'counter'> {
  const { nodeId, session, epoch = 0, counter } = decodePacket(header);
  return { nodeId, session, epoch, counter };
}
