import { RenderError } from '@mooring/renderer-contract';

/** What a `web-app.yaml` says. */
export interface WebApp {
  readonly name: string;
  readonly image: string;
  /** Port that the container listens on, 1 to 65535; the Service has port 80. */
  readonly port: number;
  /** 1 where it is not given. */
  readonly replicas: number;
}

const fields = ['name', 'image', 'port', 'replicas'];

/** Checks the content of the file at `path`. Throws `RenderError` `invalid`, which names the file and the field. */
export function readWebApp(value: unknown, path: string): WebApp {
  const fail = (what: string): never => {
    throw new RenderError('invalid', `${path}: ${what}`, { file: path });
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('write a map with name, image and port');
  }
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown !== undefined) return fail(`${unknown} is not known; there are ${fields.join(', ')}`);
  const { name, image, port, replicas = 1 } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || name === '') return fail('name must be a text, such as hello');
  if (typeof image !== 'string' || image === '') return fail('image must be a text, such as nginx:1.29');
  if (!isWholeNumber(port, 1, 65_535)) return fail('port must be a whole number from 1 to 65535');
  if (!isWholeNumber(replicas, 0, 1_000)) return fail('replicas must be a whole number from 0 to 1000');
  return { name, image, port, replicas };
}

function isWholeNumber(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}
