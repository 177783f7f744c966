import { prepareAdding } from './adding.js';
import { ask } from './ask.js';
import { deviceRow } from './device-row.js';
import { say, t } from './parts.js';
import { pendingCard } from './pending-card.js';

/** The devices of the deployed network: asked for again and again while the dialog is open. */

const POLL_MS = 2000;
/** Most rows that are drawn at once; the filter finds the others. */
const ROWS_MAX = 200;
/** Below this number nobody needs a filter. */
const FILTER_FROM = 9;

const STATES_IN = ['approved', 'joined'];
const STATES_OUT = ['revoked', 'rejected'];

/**
 * `onPending` hears how many devices wait. A network that is not deployed has no devices yet. Returns what ends it, which must be called when
 * the dialog closes.
 */
export function prepareDevices(node, deployed, onPending) {
  const panel = {
    base: `wattmesh/networks/${encodeURIComponent(node.id)}`,
    place: $('#wattmesh-devices-state'),
    live: $('#wattmesh-devices-live').hide(),
    lists: { pending: new Map(), approved: new Map(), out: new Map() },
    devices: [],
    filter: '',
    onPending,
    timer: undefined,
    closed: false,
    asked: 0,
  };
  panel.decide = (action, request) => decide(panel, action, request);
  panel.waiting = () => panel.devices.filter(({ state }) => state === 'pending');
  $('#wattmesh-filter').on('input', function () {
    panel.filter = this.value.trim().toLowerCase();
    showAll(panel);
  });
  prepareAdding(panel);
  if (deployed) refresh(panel);
  else say(panel.place, 'plain', t('devices.notDeployed'));
  return () => {
    panel.closed = true;
    clearTimeout(panel.timer);
  };
}

/** Makes a decision, which takes effect at once, and shows what has become of it. */
async function decide(panel, action, request) {
  const answer = await ask('POST', `${panel.base}/devices/${action}`, request);
  await refresh(panel);
  return answer;
}

/** Asks for the devices, and again a little later. */
async function refresh(panel) {
  clearTimeout(panel.timer);
  const asked = ++panel.asked;
  let again = true;
  try {
    const { devices, simulated } = await ask('GET', `${panel.base}/devices`);
    // An answer that comes after that of a later question shows the past.
    if (panel.closed || asked !== panel.asked) return;
    panel.devices = devices;
    $('#wattmesh-fill-simulated').toggle(simulated === true);
    say(panel.place, 'plain', '');
    panel.live.show();
    showAll(panel);
  } catch (error) {
    if (panel.closed || asked !== panel.asked) return;
    again = error.status !== 404 && error.status !== 401 && error.status !== 403;
    panel.live.hide();
    say(
      panel.place,
      error.status === 404 ? 'plain' : 'bad',
      error.status === 404 ? t('devices.notDeployed') : error.message,
    );
  }
  if (again) panel.timer = setTimeout(() => refresh(panel), POLL_MS);
}

function showAll(panel) {
  const pending = panel.waiting();
  const approved = panel.devices.filter(({ state }) => STATES_IN.includes(state)).sort(byName);
  const out = panel.devices.filter(({ state }) => STATES_OUT.includes(state));
  const matching = approved.filter((device) => matches(device, panel.filter));
  showList(panel, 'pending', $('#wattmesh-pending'), pending, pendingCard);
  showList(panel, 'approved', $('#wattmesh-approved'), matching.slice(0, ROWS_MAX), deviceRow);
  showList(panel, 'out', $('#wattmesh-out'), out.slice(0, ROWS_MAX), deviceRow);
  $('#wattmesh-pending-count')
    .text(pending.length)
    .toggleClass('wm-attention', pending.length > 0);
  $('#wattmesh-approved-count').text(approved.length);
  $('#wattmesh-out-count').text(out.length);
  $('#wattmesh-pending-none').toggle(pending.length === 0);
  $('#wattmesh-approved-none').toggle(approved.length === 0);
  $('#wattmesh-filter').toggle(approved.length >= FILTER_FROM || panel.filter !== '');
  $('#wattmesh-out-part').toggle(out.length > 0);
  const hidden = matching.length - ROWS_MAX;
  $('#wattmesh-approved-more').text(hidden > 0 ? t('devices.more', { n: hidden }) : '');
  panel.onPending(pending.length);
}

/** Rows stay while their devices do, so that nothing is lost that somebody is typing. */
function showList(panel, kind, place, devices, newRow) {
  const rows = panel.lists[kind];
  const wanted = new Set(devices.map(({ key }) => key));
  for (const [key, { row }] of rows) {
    if (wanted.has(key)) continue;
    row.remove();
    rows.delete(key);
  }
  devices.forEach((device, index) => {
    const known = rows.get(device.key) ?? newRow(device, panel);
    rows.set(device.key, known);
    known.update(device);
    // Moving an element takes the focus from it: only those that stand elsewhere are moved.
    if (place.children().get(index) !== known.row[0]) insertAt(place, index, known.row);
  });
}

function insertAt(place, index, row) {
  const next = place.children().get(index);
  if (next) row.insertBefore(next);
  else place.append(row);
}

function byName(a, b) {
  return nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true });
}

function nameOf({ name, nodeId }) {
  return name || nodeId;
}

function matches({ name, nodeId, meter, key, role }, filter) {
  return [name, nodeId, meter, key, role].some((value) => (value ?? '').toLowerCase().includes(filter));
}
