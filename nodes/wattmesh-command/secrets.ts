import type { NodeMessage } from 'node-red';

/** Fields of a payload that hold pre-shared keys: `text` is a list of devices. */
const SECRET_FIELDS = ['psk', 'text'];

/**
 * Takes pre-shared keys out of a message, so that they reach neither debug nodes nor Catch nodes with it. The payload itself is left alone: other
 * nodes may hold it. `isList`: a text or Buffer is a list of devices.
 */
export function dropSecrets(msg: NodeMessage, isList: boolean): void {
  const { payload } = msg;
  if (typeof payload === 'string' || payload instanceof Uint8Array) {
    if (isList) delete msg.payload;
  } else if (
    typeof payload === 'object' &&
    payload !== null &&
    SECRET_FIELDS.some((name) => Object.hasOwn(payload, name))
  ) {
    msg.payload = Object.fromEntries(Object.entries(payload).filter(([name]) => !SECRET_FIELDS.includes(name)));
  }
}
