import { Fault } from '../../model/fault.ts';

const newline = 0x0a;

/** Cuts a stream of chunks into lines without decoding it first. A line of more than `longest` bytes throws `Fault` `limit-reached`; empty ones are left out. */
export function splitLines(longest: number, onLine: (line: string) => void): (chunk: Buffer) => void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      let line: string;
      if (pendingBytes === 0) {
        line = chunk.toString('utf8', start, end);
      } else {
        pending.push(chunk.subarray(start, end));
        line = Buffer.concat(pending).toString('utf8');
        pending = [];
        pendingBytes = 0;
      }
      start = end + 1;
      if (line !== '') onLine(line);
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
      if (pendingBytes > longest)
        throw new Fault('limit-reached', `an event of the API server has more than ${longest} bytes`, { longest });
    }
  };
}
