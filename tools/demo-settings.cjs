// Settings of the private Node-RED of `npm start`. CommonJS: Node-RED loads its settings by require().
const { resolve } = require('node:path');

module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.PORT || 1880),
  flowFile: 'flows.json',
  flowFilePretty: true,
  nodesDir: [resolve(__dirname, '..')],
  // A private demo on the loopback address: its simulated network needs no secrets, and no key prompt may stand in the way.
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  diagnostics: { enabled: true, ui: true },
  runtimeState: { enabled: false, ui: false },
  editorTheme: { tours: false, projects: { enabled: false }, multiplayer: { enabled: false } },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};
