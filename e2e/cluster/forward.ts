import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';

/** Hands every connection to `--listen HOST:PORT` on to `--to HOST:PORT`, until it is ended. */
const { listen, to } = parseArgs({ options: { listen: { type: 'string' }, to: { type: 'string' } } }).values;
if (listen === undefined || to === undefined) throw new Error('give --listen HOST:PORT and --to HOST:PORT');
const from = new URL(`tcp://${listen}`);
const target = new URL(`tcp://${to}`);

createServer({ allowHalfOpen: true }, (incoming) => {
  const outgoing = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true });
  incoming.pipe(outgoing).pipe(incoming);
  // What ends one side badly ends the other as badly, so that both peers see it.
  incoming.on('error', () => outgoing.resetAndDestroy());
  outgoing.on('error', () => incoming.resetAndDestroy());
}).listen(Number(from.port), from.hostname);
