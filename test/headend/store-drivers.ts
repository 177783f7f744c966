import { type DriverName, hasNodeSqlite, loadDriver } from '../../nodes/headend/store/sqlite-driver.ts';

/**
 * The SQLite drivers to test here. libsql is an optional package: without it its tests are left out, except on a machine that promises
 * the tools (WATTMESH_SHARED is set).
 */
export async function installedDrivers(): Promise<DriverName[]> {
  const drivers: DriverName[] = hasNodeSqlite() ? ['node:sqlite'] : [];
  try {
    await loadDriver('libsql');
    drivers.push('libsql');
  } catch (error) {
    if (process.env.WATTMESH_SHARED) throw error;
  }
  return drivers;
}
