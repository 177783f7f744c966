import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { BoundedMap } from '../headend/bounded-map.ts';
import { WattmeshError } from '../headend/errors.ts';
import { encodeSlip, SlipDecoder } from '../headend/frame/slip.ts';
import { formatTopic } from '../headend/frame/topics.ts';
import { GATEWAYS_MAX } from '../headend/gateways.ts';
import type { NetworkState } from '../headend/messages.ts';
import { type Badge, compact, waiting } from '../shared/badges.ts';
import { failNode } from '../shared/funnel.ts';
import { migrate, type SettingsHistory, type StoredSettings } from '../shared/migrate.ts';
import type { FlowFeed, NetworkService } from '../shared/network.ts';
import { droppedCount, RowBadge } from '../shared/row-badge.ts';
import { notRunning, tapNetwork } from '../shared/tap.ts';
import { bytesOf, senderOf } from './input.ts';

const HISTORY: SettingsHistory = { defaults: { network: '', mode: 'envelope' }, steps: [] };

/** Takes the bytes of a gateway. */
type Intake = (gateway: string, bytes: Uint8Array) => void;

/** Registers `wattmesh-decode`: Buffers from any other node in, readings out, and answers to send back. */
export default function (RED: NodeAPI): void {
  function DecodeNode(this: Node, definition: NodeDef & StoredSettings): void {
    RED.nodes.createNode(this, definition);
    try {
      start(RED, this, migrate(definition, HISTORY));
    } catch (thrown) {
      failNode(this, thrown);
    }
  }

  RED.nodes.registerType('wattmesh-decode', DecodeNode);
}

function start(RED: NodeAPI, node: Node, settings: StoredSettings): void {
  const isStream = settings.mode === 'stream';
  const rows = new RowBadge();
  let feed: FlowFeed | undefined;
  const tap = tapNetwork(RED, node, String(settings.network), {
    ownWithoutGateway: true,
    badge: (state) => decodeBadge(rows, state),
    attach: (service) => {
      feed = attachTo(service, node, isStream, (message) => {
        rows.add(Date.now());
        node.send([message, null]);
        tap.refresh();
      });
      return feed ? [feed.detach] : [];
    },
  });
  const intake = feed && (isStream ? streamIntake(feed) : feed.envelope);
  node.on('input', (msg, _send, done) => {
    try {
      const { service } = tap;
      const condition = service?.condition().kind;
      // In the first moments after a deployment: the gateway repeats what nobody has confirmed.
      if (feed && condition === 'starting') {
        done();
        return;
      }
      if (!feed || !intake || !service || condition !== 'running') throw notRunning();
      take(msg, service.networkId, feed, intake);
      tap.refresh();
      done();
    } catch (thrown) {
      tap.failInput(thrown, done);
    }
  });
}

/** Throws `badConfig` for a network that no flow feeds; undefined for one that has failed, whose badge says more. */
function attachTo(
  service: NetworkService,
  node: Node,
  isStream: boolean,
  onReading: (message: NodeMessage) => void,
): FlowFeed | undefined {
  if (service.connection === undefined) return undefined;
  const feed = service.attachDecoder({
    reading: (message) => onReading(structuredClone(message) as NodeMessage & typeof message),
    answer: (gateway, envelope) => {
      const topic = formatTopic({ kind: 'down', network: service.networkId, gateway });
      node.send([null, { topic, payload: Buffer.from(isStream ? encodeSlip(envelope) : envelope) }]);
    },
  });
  if (feed) return feed;
  throw new WattmeshError(
    'badConfig',
    `the network ${service.networkId} has a connection of its own: choose one whose connection is "Flow", or use a readings node`,
  );
}

/** Hands the bytes of one message on. Throws `badField` for a payload that holds no bytes. */
function take(msg: NodeMessage & { retain?: unknown }, networkId: string, feed: FlowFeed, intake: Intake): void {
  const sender = senderOf(msg.topic, networkId);
  // What a broker retained is old: its gateway has long repeated it (PROTOCOL.md, section 7).
  if (sender === 'no envelope' || msg.retain === true) return;
  for (const piece of bytesOf(msg.payload)) {
    if (sender === 'other network') feed.bad('', 'wrongNetwork', piece.length);
    else intake(sender.gateway, piece);
  }
}

/** Finds the envelopes in byte streams that are cut anywhere, one stream for each gateway. */
function streamIntake(feed: FlowFeed): Intake {
  const decoders = new BoundedMap<string, SlipDecoder>(GATEWAYS_MAX);
  return (gateway, bytes) => {
    const decoder =
      decoders.get(gateway) ??
      new SlipDecoder({
        frame: (envelope) => feed.envelope(gateway, envelope),
        bad: (reason, length) => feed.bad(gateway, reason, length),
      });
    decoders.set(gateway, decoder);
    decoder.push(bytes);
  };
}

/** Rows, and dropped input however it was dropped. */
function decodeBadge(rows: RowBadge, state: NetworkState): Badge {
  const bad = droppedCount(state);
  if (state.gateways > 0) return rows.badge(Date.now(), bad);
  return waiting(bad > 0 ? `no gateway ${compact(bad)} bad` : 'no gateway yet');
}
