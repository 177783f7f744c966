import type { Device } from '../../../firmware/simulator/device.ts';

type Receive = Device['received'];

/** Has `before` see every frame that a device's radio receives, ahead of its firmware; returns the way to end that. */
export function intercept(
  device: Device,
  before: (...frame: [...Parameters<Receive>, receive: Receive]) => void,
): () => void {
  const receive: Receive = device.received.bind(device);
  device.received = (frame, from, to, rssiDbm) => {
    before(frame, from, to, rssiDbm, receive);
    receive(frame, from, to, rssiDbm);
  };
  return () => {
    device.received = receive;
  };
}
