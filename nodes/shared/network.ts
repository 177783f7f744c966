import type { Node } from 'node-red';
import type { Devices } from '../headend/devices.ts';
import type { ErrorName } from '../headend/errors.ts';
import type { CommandRequest } from '../headend/headend.ts';
import type {
  CommandMessage,
  DeviceStatus,
  EventMessage,
  NetworkState,
  ReadingMessage,
  StatusMessage,
  TopologyMessage,
} from '../headend/messages.ts';

/** How a network's envelopes travel. */
export type Connection = 'simulated' | 'serial' | 'mqtt' | 'flow';

/** Where a network stands. */
export type Condition =
  | { readonly kind: 'starting' }
  | {
      readonly kind: 'running';
      readonly state: NetworkState;
      /** There is a warning that somebody should look at, such as that suite 0x00 is allowed. */
      readonly attention: boolean;
    }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'stopped' };

/** A `wattmesh-decode` node as a network sees it. */
export interface Decoder {
  /** A reading that came in through a gateway which this node feeds. */
  reading(message: ReadingMessage): void;
  /** An envelope to carry to a gateway. */
  answer(gateway: string, envelope: Uint8Array): void;
}

/** A network as a `wattmesh-decode` node sees it. What is fed while the network is not running is lost; gateways repeat it. */
export interface FlowFeed {
  /** One received envelope. */
  envelope(gateway: string, bytes: Uint8Array): void;
  /** Received bytes that were no envelope. */
  bad(gateway: string, reason: ErrorName, length: number): void;
  /** Ends it. */
  detach(): void;
}

/** What a network offers to the nodes that tap it. Each `on…` returns the function that ends it. */
export interface NetworkService {
  /** Network id; empty when the settings cannot be read. */
  readonly networkId: string;
  readonly connection: Connection | undefined;
  condition(): Condition;
  onCondition(listener: (condition: Condition) => void): () => void;
  onReading(listener: (message: ReadingMessage) => void): () => void;
  onStatus(listener: (message: StatusMessage) => void): () => void;
  /** What devices tell at once; they keep it while the flows are stopped. */
  onEvent(listener: (message: EventMessage) => void): () => void;
  onTopology(listener: (message: TopologyMessage) => void): () => void;
  /** Undefined while the network is not running. */
  status(): StatusMessage | undefined;
  /** Undefined while the network is not running. */
  topology(): TopologyMessage | undefined;
  /** Where the operator decides about devices. Undefined while the network is not running. */
  devices(): Devices | undefined;
  /** The list of devices when it has changed. */
  onDevices(listener: (devices: DeviceStatus[]) => void): () => void;
  /** As `HeadEnd.command`; `linkClosed` while the network is not running. */
  command(request: CommandRequest, onEvent?: (message: CommandMessage) => void): Promise<CommandMessage>;
  /** Undefined for a network that is not fed by a flow. */
  attachDecoder(decoder: Decoder): FlowFeed | undefined;
}

/** The `wattmesh-network` config node. */
export interface NetworkNode extends Node {
  readonly service: NetworkService;
}
