import { Reader } from '../bytes.ts';
import { DEVICE_KEY_BYTES, decodeM1Payload, encodeM2Payload } from '../frame/handshake.ts';
import { encodePacketHeader, openPlain, SUITE_NONE, sealPlain } from '../frame/packet.ts';
import { m2Header, type SuiteEngine } from './suite.ts';

/** Suite 0x00: the state machines of the others, nothing secret and nothing proven; the CRC finds accidents only. */
export const plainEngine: SuiteEngine = {
  name: 'none',
  assemble: (packet) => packet,
  openM1(packet) {
    const reader = new Reader(openPlain(packet));
    const deviceKey = reader.bytes(DEVICE_KEY_BYTES);
    const payload = decodeM1Payload(reader.rest());
    return {
      suite: SUITE_NONE,
      nodeId: packet.nodeId,
      deviceKey,
      payload,
      respond: (answer, epoch) => ({ m2: sealPlain(m2Header(packet, epoch), encodeM2Payload(answer)) }),
    };
  },
  open: (packet) => openPlain(packet),
  seal: (header, _session, plaintext) => sealPlain(encodePacketHeader(header), plaintext),
};
