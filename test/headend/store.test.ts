import { JsonlStore } from '../../nodes/headend/store/jsonl.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import { type StorePlace, storeContract } from './store-contract.ts';
import { installedDrivers } from './store-drivers.ts';
import { scratchFolder } from './store-samples.ts';

storeContract('memory', (): StorePlace => {
  const store = new MemoryStore();
  return { store: () => store, remove: () => undefined };
});

storeContract('jsonl', (): StorePlace => {
  const folder = scratchFolder();
  return { store: () => new JsonlStore({ file: folder.file('net.jsonl') }), remove: folder.remove };
});

for (const driver of await installedDrivers()) {
  storeContract(`sqlite by ${driver}`, (): StorePlace => {
    const folder = scratchFolder();
    return { store: () => new SqliteStore({ file: folder.file('net.sqlite'), driver }), remove: folder.remove };
  });
}
