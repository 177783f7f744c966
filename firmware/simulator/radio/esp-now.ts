/** An address in ESP-NOW's list, as a key. */
type Address = string;

/**
 * ESP-NOW's list of peers: it sends to nobody else, and takes no more than it has places for (20 on the chips). What it refuses does not go out.
 */
export class PeerList {
  readonly #max: number;
  readonly #peers = new Set<Address>();

  constructor(max: number) {
    this.#max = max;
  }

  has(address: Address): boolean {
    return this.#peers.has(address);
  }

  /** False: it is full. */
  add(address: Address): boolean {
    if (this.#peers.size >= this.#max) return false;
    this.#peers.add(address);
    return true;
  }

  remove(address: Address): void {
    this.#peers.delete(address);
  }
}

/** What the boards' port does about it (firmware/lib/board, `PeerTable`): who was not sent to for longest makes room. Broadcast is a peer too. */
export class EspNow {
  readonly #list: PeerList;
  /** The longest unused first. */
  readonly #used = new Set<Address>();
  #replaced = 0;

  /** `peersMax`: places of the list, 1 at least. */
  constructor(peersMax: number) {
    this.#list = new PeerList(peersMax);
  }

  /** How often a peer made room for another one. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Whether a frame for this MAC address goes out. */
  sendsTo(mac: Uint8Array): boolean {
    const address = mac.join();
    this.#used.delete(address);
    if (!this.#list.has(address) && !this.#list.add(address)) {
      const [longest] = this.#used;
      if (longest === undefined) return false;
      this.#used.delete(longest);
      this.#list.remove(longest);
      this.#list.add(address);
      this.#replaced++;
    }
    this.#used.add(address);
    return this.#list.has(address);
  }
}
