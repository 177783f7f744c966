import type { NodeAPI } from 'node-red';
import { labelText, parseLabelText } from '../../headend/security/label.ts';
import { qrSvg } from '../qr-code.ts';
import { NetworkRuntime } from '../runtime.ts';
import { answer, Refusal } from './answer.ts';
import { notRunning, requireNetwork } from './deployed.ts';
import { requiredText } from './input.ts';

/** Labels of devices: as pictures, and all of a simulated mesh as the list that a factory would deliver. */
export function serveLabels(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/wattmesh/qr.svg',
    RED.auth.needsPermission('flows.read'),
    answer(
      ({ query }) => qrSvg(labelText(parseLabelText(requiredText({ text: query.text }, 'text')))),
      (response, picture) => void response.type('image/svg+xml').send(picture),
    ),
  );

  RED.httpAdmin.get(
    '/wattmesh/networks/:id/simulated-labels',
    RED.auth.needsPermission('flows.write'),
    answer(({ params }) => {
      const service = requireNetwork(RED, params.id);
      if (!(service instanceof NetworkRuntime) || service.connection !== 'simulated') {
        throw new Refusal(404, 'this is no simulated network: the labels are on the devices');
      }
      const csv = service.deviceList();
      if (csv === undefined) throw notRunning();
      return { csv };
    }),
  );
}
