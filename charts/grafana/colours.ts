import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';

/** Colours by name of Grafana's palette, which suit light and dark. */
export const green = 'green';
export const yellow = 'yellow';
export const orange = 'orange';
export const red = 'red';
export const blue = 'blue';
export const grey = '#8E8E8E';
export const violet = 'purple';

/** Health status, in the order in which one looks at them, with Argo CD's colours. */
export const healthColours: Readonly<Record<string, string>> = {
  Degraded: red,
  Missing: yellow,
  Unknown: grey,
  Progressing: blue,
  Suspended: violet,
  Healthy: green,
};

/** Sync status likewise. */
export const syncColours: Readonly<Record<string, string>> = {
  OutOfSync: yellow,
  Unknown: grey,
  Synced: green,
};

/** Final phases of a sync operation. */
export const phaseColours: Readonly<Record<string, string>> = { Succeeded: green, Failed: red, Error: orange };

/** Answers of an API server, as `mooring_kube_requests_total` has them. */
export const codeColours: Readonly<Record<string, string>> = {
  200: green,
  201: blue,
  403: red,
  409: yellow,
  429: orange,
  500: red,
  503: red,
  '<error>': red,
};

/** Shows a text in its colour. */
export function textMapping(colours: Readonly<Record<string, string>>): ValueMapping {
  const options = Object.entries(colours).map(([text, color], index) => [text, { color, index }]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}

/** Shows the numbers from `first` on as texts in their colours. */
export function numberMapping(colours: Readonly<Record<string, string>>, first: number): ValueMapping {
  const options = Object.entries(colours).map(([text, color], index) => [first + index, { text, color, index }]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}

/** One series that tells a status as a number, for `numberMapping`: `first` is the first of the statuses. `select` is what is between the braces. */
export function statusNumber(
  label: string,
  colours: Readonly<Record<string, string>>,
  first: number,
  select: string,
): string {
  return Object.keys(colours)
    .map((status, index) => `max(argocd_app_info{${select}, ${label}="${status}"}) * ${first + index}`)
    .join(' or ');
}
