import { ask } from './ask.js';
import { t } from './parts.js';

/** The table of names that the flow carries. */

function addRow(row, _index, data) {
  const input = (name, placeholder) =>
    $('<input/>', { type: 'text', class: `wattmesh-name-${name}`, placeholder: t(placeholder) });
  input('id', 'placeholder.nodeId')
    .css('width', '40%')
    .val(data.id || '')
    .appendTo(row);
  input('text', 'placeholder.meterName')
    .css({ width: 'calc(60% - 20px)', 'margin-left': '10px' })
    .val(data.name || '')
    .appendTo(row);
}

/** The rows that have an id. */
export function readNames() {
  const names = [];
  $('#wattmesh-names')
    .editableList('items')
    .each(function () {
      const id = $(this).find('.wattmesh-name-id').val().trim();
      const name = $(this).find('.wattmesh-name-text').val().trim();
      if (id !== '') names.push({ id, name });
    });
  return names;
}

/** Fills the table, and lets the meters be added that have reported. */
export function prepareNames(node) {
  const list = $('#wattmesh-names').css({ 'min-height': '200px' });
  list.editableList({ addItem: addRow, removable: true, sortable: true });
  list.editableList('addItems', node.names || []);
  $('#wattmesh-names-known').on('click', async () => {
    try {
      const meters = await ask('GET', `wattmesh/networks/${encodeURIComponent(node.id)}/meters`);
      const known = readNames().map(({ id }) => id.toLowerCase());
      const added = meters.filter(({ nodeId }) => !known.includes(nodeId));
      list.editableList(
        'addItems',
        added.map(({ nodeId, name }) => ({ id: nodeId, name })),
      );
      if (meters.length === 0) RED.notify(t('names.none'), 'warning');
    } catch {
      RED.notify(t('names.failed'), 'error');
    }
  });
}
