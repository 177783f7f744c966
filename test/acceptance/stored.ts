import { fromHex } from '../../nodes/headend/bytes.ts';
import { nodeIdOf } from '../../nodes/headend/security/keys.ts';
import { findDriver, loadDriver, type SqlRow } from '../../nodes/headend/store/sqlite-driver.ts';

/** A row of a store file, as it stands there. */
export interface StoredRow {
  readonly nodeId: string;
  readonly logId: string;
  readonly seq: number;
  readonly measuredAtMs: number;
  readonly intervalS: number;
  /** Register values by their names in register units; only those that the row has. */
  readonly values: Readonly<Record<string, number>>;
}

const COLUMNS = {
  import_dwh: 'importDwh',
  export_dwh: 'exportDwh',
  power_dw: 'powerDw',
  voltage_dv: 'voltageDv',
  current_ca: 'currentCa',
  frequency_chz: 'frequencyChz',
  power_factor_pct: 'powerFactorPct',
} as const;

/** Every reading in a store file, read with plain SQL and none of the store's code. */
export async function storedRows(file: string): Promise<StoredRow[]> {
  const driver = await findDriver();
  if (!driver) throw new Error('there is no SQLite driver here: npm ci installs one');
  const database = (await loadDriver(driver))(file);
  try {
    const columns = Object.keys(COLUMNS).map((column) => `r.${column}`);
    const sql = `SELECT k.key, l.log_id, r.seq, r.measured_at_ms, r.interval_s, ${columns.join(', ')}
      FROM readings r JOIN logs l ON l.id = r.log JOIN keys k ON k.id = l.key_id ORDER BY r.id`;
    const rows = database.prepare(sql).all().map(toRow);
    const [count] = database.prepare('SELECT count(*) AS n FROM readings').all();
    if (count?.n !== rows.length)
      throw new Error(`${count?.n} readings are stored, ${rows.length} of them of known devices`);
    return rows;
  } finally {
    database.close();
  }
}

function toRow(row: SqlRow): StoredRow {
  const values = Object.entries(COLUMNS).map(([column, name]) => [name, row[column]] as const);
  return {
    nodeId: nodeIdOf(fromHex(String(row.key))),
    logId: String(row.log_id),
    seq: Number(row.seq),
    measuredAtMs: Number(row.measured_at_ms),
    intervalS: Number(row.interval_s),
    values: Object.fromEntries(values.filter(([, value]) => value !== null)) as Record<string, number>,
  };
}
