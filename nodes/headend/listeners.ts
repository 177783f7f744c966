/** Listeners of one kind of message. They are called one after the other; what one throws goes to `failed`, and the others hear it all the same. */
export class Listeners<Message> {
  readonly #listeners = new Set<(message: Message) => void>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get any(): boolean {
    return this.#listeners.size > 0;
  }

  /** Returns the function that ends it. */
  add(listener: (message: Message) => void): () => void {
    const own = (message: Message): void => listener(message);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Tells what `make` gives; it is asked only when somebody listens. */
  tellMade(make: () => Message): void {
    if (this.any) this.tell(make());
  }

  tell(message: Message): void {
    for (const listener of this.#listeners) {
      try {
        listener(message);
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
