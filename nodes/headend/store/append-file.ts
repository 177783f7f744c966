import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What JsonlStore writes through. */
export interface AppendTarget {
  /** Bytes in the file. */
  readonly length: number;
  /** Appends the text, durable when it resolves; after a failure nothing of it remains. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

export type AppendOpener = (file: string, length: number) => Promise<AppendTarget>;

/** Opens (or makes) a file for durable appending. What lies beyond `length` bytes is cut off. */
export const openAppendFile: AppendOpener = async (file, length) => {
  const handle = await open(file, 'a');
  try {
    await handle.truncate(length);
    await handle.sync();
    await syncFolder(dirname(file));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return new AppendFile(handle, length);
};

class AppendFile implements AppendTarget {
  readonly #handle: FileHandle;
  #length: number;
  /** A failed append may have left a piece behind, which must go before anything else is written. */
  #untidy = false;

  constructor(handle: FileHandle, length: number) {
    this.#handle = handle;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  async append(text: string): Promise<void> {
    if (this.#untidy) await this.#cut();
    else await this.#requireOwn();
    this.#untidy = true;
    const bytes = Buffer.from(text);
    try {
      await this.#handle.appendFile(bytes);
      await this.#handle.datasync();
    } catch (error) {
      await this.#cut();
      throw error;
    }
    this.#length += bytes.length;
    this.#untidy = false;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Whoever has written to the file since owns it now: what follows here would not follow from its lines. */
  async #requireOwn(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size === this.#length) return;
    throw new Error('another program has written to it; end that one, close the store and open it again');
  }

  /** Takes a failed piece away, durably: it must not come back with the next power failure. */
  async #cut(): Promise<void> {
    await this.#handle.truncate(this.#length);
    await this.#handle.sync();
    this.#untidy = false;
  }
}

/** Makes a created or renamed name durable; Windows has no such call and does it by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
