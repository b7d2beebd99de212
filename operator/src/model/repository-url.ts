/** `user@host:path`, the short form of an SSH address. */
const scpForm = /^(?:[^/@:]+@)?(?:\[[^\]/]+\]|[^/:@[\]]{2,}):(?!\/\/)/;
const scheme = /^[a-z][a-z0-9+.-]*:\/\//;

/**
 * The form of a Git repository's address by which two are compared, as Argo CD does (util/git): lower case, no blanks around it, no `.git`
 * and no slash at its end, `ssh://` and the short form with a colon alike. It is no address to connect to.
 */
export function normalizeRepositoryUrl(url: string): string {
  const text = url.trim().toLowerCase();
  const long =
    !scheme.test(text) && scpForm.test(text) ? text.replace(/:(?=[^:]*$)/, '/') : text.replace(/^ssh:\/\//, '');
  return long.replace(/\/+$/, '').replace(/\.git$/, '');
}

/** Whether two addresses name the same repository. */
export function isSameRepository(a: string, b: string): boolean {
  return normalizeRepositoryUrl(a) === normalizeRepositoryUrl(b);
}

/**
 * Whether credentials for every repository below `prefix` are meant for `url`. As in Argo CD any prefix of the path counts; a prefix of the
 * host alone does not, since `https://git.example.com` must not give its password to `https://git.example.com.evil.net`.
 */
export function isBelowRepository(prefix: string, url: string): boolean {
  const above = normalizeRepositoryUrl(prefix);
  const below = normalizeRepositoryUrl(url);
  if (above === '' || !below.startsWith(above)) return false;
  const hasPath = above.replace(scheme, '').includes('/');
  const next = below.charAt(above.length);
  return hasPath || next === '' || next === '/' || next === ':';
}

/** A text without the user information of any URL in it; the bare user name of an SSH address stays. */
export function maskAddress(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^@/\s'"]*)@/gi, (whole, scheme: string, info: string) =>
    scheme.toLowerCase() === 'ssh://' && !info.includes(':') ? whole : `${scheme}***@`,
  );
}
