import { defaultLimits, type Limits } from '@mooring/renderer-contract';
import { wholeBytes } from './quantity.ts';

const names = ['memorySoftBytes', ...Object.keys(defaultLimits)] as (keyof Limits)[];

/**
 * Reads limits of renders as flags give them, `NAME=VALUE` with the names of `Limits`: whole numbers, for bytes also quantities such as `1Gi`. The last of a name
 * counts. A string says what is wrong with the first that cannot be used.
 */
export function readRenderLimits(texts: readonly string[]): Partial<Limits> | string {
  const limits: Partial<Record<keyof Limits, number>> = {};
  for (const text of texts) {
    const [name = '', value = ''] = text.split('=', 2);
    const known = names.find((one) => one === name);
    if (known === undefined) return `${text}: there is no such limit; give NAME=VALUE with one of ${names.join(', ')}`;
    const amount = known.endsWith('Bytes') ? wholeBytes(value) : /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    if (amount === undefined || amount === 0) {
      const wanted = known.endsWith('Bytes') ? 'an amount of bytes such as 1Gi' : 'a whole number above 0';
      return `${text}: ${JSON.stringify(value)} is not ${wanted}`;
    }
    limits[known] = amount;
  }
  return limits;
}
