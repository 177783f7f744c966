import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { CommandArgs } from '../headend/command-args.ts';
import type { SettingsHistory, StoredSettings } from '../shared/migrate.ts';
import type { Dialog } from './order.ts';

/** The same values stand in the editor's `defaults`. */
export const HISTORY: SettingsHistory = {
  defaults: {
    network: '',
    operation: 'pollNow',
    meter: '',
    meterType: 'str',
    relay: 'on',
    intervalS: 60,
    pollCycleS: 60,
    seconds: 10,
    timeoutS: 120,
  },
  steps: [],
};

/** What the dialog says for a message: its meter may be somewhere in the message, in a context store or in the environment. */
export async function readDialog(
  RED: NodeAPI,
  node: Node,
  settings: StoredSettings,
  msg: NodeMessage,
): Promise<Dialog> {
  const operation = String(settings.operation);
  return {
    operation,
    meter: await evaluated(RED, node, settings, msg),
    args: argumentsOf(operation, settings),
    timeoutS: Number(settings.timeoutS),
  };
}

/** Arguments of the dialog's operation. Numbers are as the dialog has them: the head-end judges them. */
function argumentsOf(operation: string, settings: StoredSettings): CommandArgs {
  switch (operation) {
    case 'setInterval':
      return { intervalS: Number(settings.intervalS), pollCycleS: Number(settings.pollCycleS) };
    case 'identify':
      return { seconds: Number(settings.seconds) };
    case 'relay':
      return settings.relay === 'message' ? {} : { on: settings.relay === 'on' };
    default:
      return {};
  }
}

function evaluated(RED: NodeAPI, node: Node, { meter, meterType }: StoredSettings, msg: NodeMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    RED.util.evaluateNodeProperty(String(meter), String(meterType), node, msg, (error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}
