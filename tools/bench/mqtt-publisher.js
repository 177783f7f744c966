// A gateway's side of the broker as cheap as it can be: writes MQTT 3.1.1 PUBLISH packets of QoS 1 from a file, with a bounded number that
// the broker has not acknowledged. Arguments: port, file of records (topic length u16, payload length u16, topic, payload), window.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const [port, file, window] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const PACKETS_PER_WRITE = 64;
const CONNECT = Buffer.from([0x10, 17, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 5, 0x62, 0x65, 0x6e, 0x63, 0x68]);
const PUBACK = 0x40;

const packets = readPackets(readFileSync(file));
const socket = connect(port, '127.0.0.1');
socket.setNoDelay(true);
let next = 0;
let acknowledged = 0;
let rest = Buffer.alloc(0);
let connected = false;

socket.on('connect', () => socket.write(CONNECT));
socket.on('error', (error) => {
  process.stderr.write(`the publisher failed: ${error.message}\n`);
  process.exit(1);
});
socket.on('data', (data) => {
  rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
  let at = 0;
  // CONNACK and PUBACK alike: two bytes of header, two more behind them.
  for (; at + 4 <= rest.length; at += 4) {
    if (rest[at] === PUBACK) acknowledged++;
    else connected = true;
  }
  rest = rest.subarray(at);
  if (acknowledged === packets.length) socket.end(Buffer.from([0xe0, 0]));
  else if (connected) send();
});

function send() {
  while (next < packets.length && next - acknowledged < window) {
    const some = packets.slice(next, Math.min(next + PACKETS_PER_WRITE, acknowledged + window));
    next += some.length;
    socket.write(Buffer.concat(some));
  }
}

function readPackets(bytes) {
  const list = [];
  for (let at = 0; at < bytes.length; ) {
    const [topic, payload] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    const length = 2 + topic + 2 + payload;
    const size = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
    const id = (list.length % 0xffff) + 1;
    const head = Buffer.from([0x32, ...size, topic >> 8, topic & 0xff]);
    const from = at + 4;
    const body = bytes.subarray(from + topic, from + topic + payload);
    list.push(Buffer.concat([head, bytes.subarray(from, from + topic), Buffer.from([id >> 8, id & 0xff]), body]));
    at = from + topic + payload;
  }
  return list;
}
