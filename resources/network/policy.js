/** Who is let in, and by which suites. */

/** A new network asks the operator unless it is simulated, until somebody chooses otherwise. */
export function preparePolicy(node, isNew) {
  const approval = $('#node-config-input-approval');
  let chosen = !isNew;
  const follow = () => {
    const simulated = $('#node-config-input-connection').val() === 'simulated';
    if (!chosen) approval.val(simulated ? 'everyone' : 'operator');
    $('#wattmesh-approval-tip').toggle(approval.val() === 'everyone' && !simulated);
  };
  if (!isNew) keepPolicy(node, approval);
  approval.on('change', (event) => {
    // The editor itself triggers a change of every field when the dialog opens.
    if (event.originalEvent) chosen = true;
    follow();
  });
  for (const [box, tip] of [
    ['allowRsa', '#wattmesh-rsa-tip'],
    ['allowSuiteNone', '#wattmesh-none-tip'],
  ]) {
    const input = $(`#node-config-input-${box}`);
    input.on('change', () => $(tip).toggle(input.prop('checked'))).trigger('change');
  }
  return { follow };
}

/** A network from before there were these settings shows what holds for it, as the server takes it. */
function keepPolicy({ version, connection, approval, allowSuiteNone }, choice) {
  const simulated = (connection || 'simulated') === 'simulated';
  const isOld = (version || 1) < 2;
  if (!approval) choice.val(isOld || simulated ? 'everyone' : 'operator');
  if (isOld) $('#node-config-input-allowSuiteNone').prop('checked', !simulated && allowSuiteNone !== false);
}
