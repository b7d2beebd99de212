import { followLinks, RenderError, type Tree } from '@mooring/renderer-contract';
import type { Question } from './protocol.ts';

const found = '+'.charCodeAt(0);
const nothing = '-'.charCodeAt(0);
const fault = '!'.charCodeAt(0);
const encoder = new TextEncoder();

/** Answers what an engine asks of the tree, for one render. */
export interface Files {
  answer(question: Question, text: string): Promise<Uint8Array>;
  /** What the tree itself failed with, if it did: the render's outcome, whatever the engine made of it. */
  failure(): unknown;
}

/**
 * Serves a tree to one render. Links are followed as a file system would, inside the tree only.
 * Throws nothing: a path with nothing there is an answer; any other failure is remembered, and ends the render.
 */
export function serveFiles(tree: Tree, fileCountMax: number): Files {
  let failure: unknown;
  let filesRead = 0;

  const nodeAt = async (path: string): Promise<{ path: string; type: 'file' | 'directory' }> => {
    const entry = await tree.stat(path);
    if (entry !== undefined && entry.type !== 'symlink') return { path, type: entry.type };
    const real = await followLinks(tree, path);
    const target = await tree.stat(real);
    if (target === undefined || target.type === 'symlink') {
      throw new RenderError('not-found', `there is no ${JSON.stringify(path)}`, { file: path });
    }
    return { path: real, type: target.type };
  };

  const read = (path: string): Promise<Uint8Array> => {
    filesRead += 1;
    if (filesRead <= fileCountMax) return tree.read(path);
    const message = `the render reads more than the limit of ${fileCountMax} files; split the application or raise the limit fileCount`;
    throw new RenderError('limit', message);
  };

  const answers: Record<Question, (text: string) => Promise<Uint8Array>> = {
    async stat(path) {
      const node = await nodeAt(path);
      if (node.type === 'directory') return encoder.encode(`+d${node.path}`);
      // A file comes with its content: whoever looks whether it is there reads it next.
      return Buffer.concat([encoder.encode(`+f${node.path}\0`), await read(path)]);
    },
    async list(path) {
      const entries = await tree.list(path);
      const mark = { file: 'f', directory: 'd', symlink: 'l' };
      return encoder.encode(`+${entries.map((entry) => `${mark[entry.type]}${entry.name}`).join('\0')}`);
    },
    async read(text) {
      const paths = text.split('\0');
      const contents = await Promise.all(paths.map(async (path) => read(path)));
      const answer = new Uint8Array(1 + contents.reduce((size, content) => size + 4 + content.length, 0));
      answer[0] = found;
      let at = 1;
      for (const content of contents) {
        new DataView(answer.buffer).setUint32(at, content.length, true);
        answer.set(content, at + 4);
        at += 4 + content.length;
      }
      return answer;
    },
  };

  return {
    failure: () => failure,
    async answer(question, text) {
      try {
        return await answers[question](text);
      } catch (error) {
        if (error instanceof RenderError && error.code === 'not-found') return Uint8Array.of(nothing);
        failure = error;
        const { code, message, file } =
          error instanceof RenderError ? error : new RenderError('crashed', String(error));
        return Uint8Array.from([fault, ...encoder.encode(JSON.stringify({ code, message, file }))]);
      }
    },
  };
}
