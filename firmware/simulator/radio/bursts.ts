import type { Random } from '../random.ts';
import type { BurstConfig } from './station.ts';

/**
 * Losses in bursts: every directed link alternates on its own between a good and a bad state of exponentially distributed lengths
 * (Gilbert 1960, Elliott 1963). In the bad state nothing arrives; in the good one so much more that the link's mean remains its packet
 * reception ratio, as far as it can: the mean of a link is the smaller of its ratio and the share of time that it is good. Carrier sense and
 * interference are the same in both.
 */
export class Bursts {
  readonly #random: Random;
  readonly #goodShare: number;
  /** Rate at which the state is forgotten: that of both changes together, 1/us. */
  readonly #forgetting: number;
  readonly #bad: Uint8Array;
  readonly #seenUs: Float64Array;

  constructor(links: number, { meanBadS, meanGoodS }: BurstConfig, random: Random) {
    this.#random = random;
    this.#goodShare = meanGoodS / (meanGoodS + meanBadS);
    this.#forgetting = (1 / meanBadS + 1 / meanGoodS) / 1e6;
    this.#bad = new Uint8Array(links);
    this.#seenUs = new Float64Array(links).fill(Number.NEGATIVE_INFINITY);
  }

  /** Packet reception ratio at `nowUs` of the link whose mean is `prr`. The times of one link do not fall. */
  ratio(link: number, prr: number, nowUs: number): number {
    const badShare = 1 - this.#goodShare;
    // The chance that a two-state Markov process which was seen a while ago is bad now.
    const kept = Math.exp(-this.#forgetting * (nowUs - (this.#seenUs[link] as number)));
    const bad = badShare + kept * ((this.#bad[link] as number) - badShare);
    this.#bad[link] = this.#random.float() < bad ? 1 : 0;
    this.#seenUs[link] = nowUs;
    return this.#bad[link] ? 0 : Math.min(1, prr / this.#goodShare);
  }
}
