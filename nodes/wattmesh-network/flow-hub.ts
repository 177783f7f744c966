import { BoundedMap } from '../headend/bounded-map.ts';
import { GATEWAYS_MAX } from '../headend/gateways.ts';
import { FlowLink } from '../headend/link/flow.ts';
import type { ReadingMessage } from '../headend/messages.ts';
import type { Decoder, FlowFeed } from '../shared/network.ts';

/** Connects the `wattmesh-decode` nodes of a network with its head-end: what concerns a gateway goes to the node that feeds it. */
export class FlowHub {
  readonly #decoders = new Set<Decoder>();
  readonly #feeders = new BoundedMap<string, Decoder>(GATEWAYS_MAX);
  #link: FlowLink | undefined;

  /** The link of the next life of the head-end. */
  newLink(): FlowLink {
    this.#link = new FlowLink((gateway, envelope) => this.#decoderOf(gateway)?.answer(gateway, envelope));
    return this.#link;
  }

  attach(decoder: Decoder): FlowFeed {
    this.#decoders.add(decoder);
    return {
      envelope: (gateway, bytes) => {
        this.#feeders.set(gateway, decoder);
        this.#link?.feed(gateway, bytes);
      },
      bad: (gateway, reason, length) => void this.#link?.feedBad(gateway, reason, length),
      detach: () => void this.#decoders.delete(decoder),
    };
  }

  reading(message: ReadingMessage): void {
    this.#decoderOf(message.wattmesh.gateway)?.reading(message);
  }

  get hasDecoders(): boolean {
    return this.#decoders.size > 0;
  }

  /** The node that feeds a gateway; the first one for gateways that nobody has fed since the start, such as those of messages sent again. */
  #decoderOf(gateway: string): Decoder | undefined {
    const feeder = this.#feeders.get(gateway);
    if (feeder && this.#decoders.has(feeder)) return feeder;
    const [first] = this.#decoders;
    return first;
  }
}
