/** Names in braces are read up to a length, so that a brace that nobody closes costs no more. */
const reference = /\$(?:\{([^}]{0,100})\}|\{|([A-Za-z_][A-Za-z0-9_]*|[*#$@!?0-9-]))/g;

/**
 * Replaces `$NAME` and `${NAME}` by the variables of Argo CD's build environment; an unknown one by nothing, `$$` by `$`; a `${` that does not end goes.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/
 */
export function substitute(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(reference, (_match, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    if (name === '$') return '$';
    return Object.hasOwn(environment, name) ? (environment[name] ?? '') : '';
  });
}
