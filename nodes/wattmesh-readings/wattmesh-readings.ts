import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { ReadingMessage } from '../headend/messages.ts';
import { failNode } from '../shared/funnel.ts';
import { migrate, type SettingsHistory, type StoredSettings } from '../shared/migrate.ts';
import { droppedCount, RowBadge } from '../shared/row-badge.ts';
import { tapNetwork } from '../shared/tap.ts';
import { meterFilter } from './meter-filter.ts';

const HISTORY: SettingsHistory = { defaults: { network: '', meters: '', split: true }, steps: [] };

/** Registers `wattmesh-readings`: one message per row; output 1 live, output 2 late, or one output for both. */
export default function (RED: NodeAPI): void {
  function ReadingsNode(this: Node, definition: NodeDef & StoredSettings): void {
    RED.nodes.createNode(this, definition);
    try {
      start(RED, this, migrate(definition, HISTORY));
    } catch (thrown) {
      failNode(this, thrown);
    }
  }

  RED.nodes.registerType('wattmesh-readings', ReadingsNode);
}

function start(RED: NodeAPI, node: Node, settings: StoredSettings): void {
  const wanted = meterFilter(String(settings.meters));
  const rows = new RowBadge();
  const tap = tapNetwork(RED, node, String(settings.network), {
    badge: (state) => rows.badge(Date.now(), droppedCount(state)),
    attach: (service) => [
      service.onReading((reading) => {
        if (!wanted(reading)) return;
        rows.add(Date.now());
        // Each tap of the network gets the same object: what a flow does to its message must not reach the others.
        const message = structuredClone(reading) as ReadingMessage & NodeMessage;
        node.send(settings.split && reading.wattmesh.late ? [null, message] : [message]);
        tap.refresh();
      }),
    ],
  });
}
