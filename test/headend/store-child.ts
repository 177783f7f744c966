/**
 * A process of its own for tests: `store-child <kind> <file> <mode>`. It prints one line per event.
 * `hold` opens the store and stays; `commit` commits numbered groups until it is killed, printing the number of each once it is durable;
 * `open` opens, commits one empty group and ends; `open-unprivileged` opens an SQLite file, without a thread, as a user whom file
 * permissions bind.
 */
import { reasonOf } from '../../nodes/headend/errors.ts';
import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import { type DriverName, loadDriver } from '../../nodes/headend/store/sqlite-driver.ts';
import { SqliteEngine } from '../../nodes/headend/store/sqlite-engine.ts';
import type { Store } from '../../nodes/headend/store/store.ts';
import { storeFailure } from '../../nodes/headend/store/store-failure.ts';
import { numberedGroup } from './store-numbered.ts';
import { sampleGroup } from './store-samples.ts';

const [kind = '', file = '', mode = ''] = process.argv.slice(2);
const store: Store =
  kind === 'jsonl' ? new JsonlStore({ file }) : new SqliteStore({ file, driver: kind as DriverName });

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The user `nobody` on most systems. */
const NOBODY_UID = 65_534;

if (mode === 'open-unprivileged') await openUnprivileged();
else await run();

async function run(): Promise<void> {
  try {
    const { sessions } = await store.open();
    say('open');
    if (mode === 'hold') setInterval(() => undefined, 60_000);
    else if (mode === 'commit') await commitForEver((sessions[0]?.highest ?? 0) + 1);
    else {
      await store.commit(sampleGroup([]));
      await store.close();
    }
  } catch (error) {
    say(`failed ${reasonOf(error)} ${(error as Error).message}`);
    await store.close();
    process.exitCode = 1;
  }
}

/** All code is loaded before the user changes, because that user may have no access to the code. */
async function openUnprivileged(): Promise<void> {
  const open = await loadDriver(kind as DriverName);
  if (process.getuid?.() === 0) process.setuid?.(NOBODY_UID);
  try {
    new SqliteEngine(open, file).close();
    say('open');
  } catch (error) {
    const { reason, message } = storeFailure(file, error);
    say(`failed ${reason} ${message}`);
  }
}

/** Two groups are under way at any time, as in the head-end under load. */
async function commitForEver(first: number): Promise<never> {
  let pending = store.commit(numberedGroup(first));
  for (let number = first; ; number++) {
    const next = store.commit(numberedGroup(number + 1));
    await pending;
    say(`done ${number}`);
    pending = next;
  }
}
