import type { NodeAPI } from 'node-red';
import type { ApproveRequest, DeviceSelector } from '../../headend/decisions.ts';
import type { Devices } from '../../headend/devices.ts';
import { PRELOAD_CHARS_MAX, parseHub } from '../../headend/preload.ts';
import { answer } from './answer.ts';
import { networkOf, requireDevices, requireNetwork } from './deployed.ts';
import { deviceViews, labelled } from './device-view.ts';
import { bodyOf, type Fields, requiredText, textsOf } from './input.ts';

const PATH = '/wattmesh/networks/:id';

/** A decision of the operator, with what a dialog gives for it. */
type Decision = (devices: Devices, fields: Fields) => Promise<object>;

const DECISIONS: Readonly<Record<string, Decision>> = {
  approve: async (devices, fields) => ({ device: labelled(await devices.approve(approvalOf(fields))) }),
  reject: async (devices, fields) => done(devices.reject(selectorOf(fields))),
  rename: async (devices, fields) => done(devices.rename(selectorOf(fields), requiredText(fields, 'name'))),
  revoke: async (devices, fields) => done(devices.revoke(selectorOf(fields))),
  exchange: async (devices, fields) => {
    const meter = requiredText(fields, 'meter');
    return { device: labelled(await devices.exchange(meter, approvalOf(fields))) };
  },
  preload: (devices, fields) => devices.preload(requiredText(fields, 'text', PRELOAD_CHARS_MAX)),
};

/** The devices of a deployed network, and the operator's decisions about them. */
export function serveDevices(RED: NodeAPI): void {
  const mayRead = RED.auth.needsPermission('flows.read');
  const mayWrite = RED.auth.needsPermission('flows.write');

  RED.httpAdmin.get(
    `${PATH}/meters`,
    mayRead,
    answer(({ params }) => {
      const nodes = networkOf(RED, params.id)?.status()?.payload.nodes ?? [];
      return nodes.filter(({ role }) => role === 'meter').map(({ nodeId, meter, name }) => ({ nodeId, meter, name }));
    }),
  );

  RED.httpAdmin.get(
    `${PATH}/devices`,
    mayRead,
    answer(({ params }) => {
      const service = requireNetwork(RED, params.id);
      const nodes = service.status()?.payload.nodes ?? [];
      const devices = deviceViews(requireDevices(service).list(), nodes);
      return { devices, nodesKnown: nodes.length, simulated: service.connection === 'simulated' };
    }),
  );

  for (const [name, decide] of Object.entries(DECISIONS)) {
    RED.httpAdmin.post(
      `${PATH}/devices/${name}`,
      mayWrite,
      answer((request) => decide(requireDevices(requireNetwork(RED, request.params.id)), bodyOf(request))),
    );
  }
}

function selectorOf(fields: Fields): DeviceSelector {
  return textsOf(fields, ['key', 'nodeId', 'meter']);
}

function approvalOf(fields: Fields): ApproveRequest {
  const { hub } = fields;
  const number = hub === undefined || hub === null ? {} : { hub: parseHub(String(hub)) };
  return { ...textsOf(fields, ['key', 'nodeId', 'digits', 'meter', 'name', 'psk']), ...number };
}

async function done(decided: Promise<void>): Promise<object> {
  await decided;
  return {};
}
