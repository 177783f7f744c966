/** Inputs that wait for their answers. Each ends once: with its answer, with an error, or when the node closes. */
export class OpenInputs {
  readonly #open = new Map<object, (error: unknown) => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls `finished` or `failed` when `work` ends; an answer that cannot be handed on is a failure. */
  follow<Answer>(work: Promise<Answer>, finished: (answer: Answer) => void, failed: (error: unknown) => void): void {
    const input = {};
    this.#open.set(input, failed);
    work
      .then((answer) => {
        if (!this.#open.has(input)) return;
        finished(answer);
        this.#open.delete(input);
      })
      .catch((error) => {
        if (this.#open.delete(input)) failed(error);
      });
  }

  /** Ends all with an error; what comes later is dropped. */
  close(error: Error): void {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const failed of open) failed(error);
  }
}
