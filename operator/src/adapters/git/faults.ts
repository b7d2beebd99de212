import { errors } from 'undici';
import { Fault } from '../../model/fault.ts';
import { maskAddress, maskValues } from '../../model/mask.ts';
import type { RepositoryAddress } from '../../model/repository-url.ts';
import type { RepositoryAccess } from '../../world/git.ts';
import { authorizationOf, credentialsOf } from './access.ts';
import { cleanOutput, GitFailure } from './command.ts';
import { AnswerTooLarge, HttpRefusal } from './http-remote.ts';
import { HostRefused } from './network.ts';
import { ReaderEnded } from './objects.ts';
import { MalformedAnswer, ServerComplaint } from './packet.ts';
import { TooManyRefs } from './refs.ts';
import { ObjectMissing, TreeRefused } from './tree.ts';

const refused =
  /could not read (?:Username|Password)|Authentication failed|Access denied|error: 40[13]|Permission denied|Host key verification failed|dubious ownership/i;
const missing = /not found|does not appear to be a git repository|does not exist|No such file or directory|error: 404/i;
const damaged =
  /corrupt|bad object|bad tree|missing (?:blob|tree|commit)|not a git repository|unable to (?:read|find)|invalid sha1 pointer|is empty|bad config|unresolved deltas|did not receive expected object|malformed object|does not match index|did not send all necessary/i;

/** What git says of more memory than it may take (`GIT_ALLOC_LIMIT`). */
const overLimit = /attempting to allocate (\d+) over limit (\d+)/;

/** Whether a failure may come from a damaged repository on this machine, so that cloning anew may help. */
export function mayBeDamage(error: unknown): boolean {
  if (error instanceof Fault) return mayBeDamage(error.cause);
  if (error instanceof ObjectMissing || error instanceof ReaderEnded) return true;
  return (
    error instanceof GitFailure && error.reason === 'exit' && damaged.test(error.said) && !overLimit.test(error.said)
  );
}

/** Whether a server said that it does not have the object asked for. */
export function isUnknownObject(error: unknown): boolean {
  const said = error instanceof GitFailure || error instanceof ServerComplaint ? error.said : '';
  return /not our ref|couldn't find remote ref|no such remote ref|remote error: .*want|did not contain/i.test(said);
}

/** Whether a server only gives out the tips of branches and tags. */
export function refusesIds(error: unknown): boolean {
  return error instanceof GitFailure && /unadvertised object/i.test(error.said);
}

/** Any failure of a request to a repository, as a fault. An error that is none of the expected is given back as it is. */
export function repositoryFault(error: unknown, address: RepositoryAddress, access: RepositoryAccess): unknown {
  if (error instanceof Fault) return error;
  const repository = address.url;
  const fault = (code: 'repository-unreachable' | 'repository-refused' | 'limit-reached', message: string): Fault =>
    new Fault(code, maskValues(message, credentialsOf(access)), { repository }, error);
  if (error instanceof TreeRefused) {
    return error.reason === 'entries'
      ? fault('limit-reached', `${repository}: ${error.message}; split the repository, or raise the limit treeEntries`)
      : fault(
          'repository-refused',
          `${repository}: ${error.message}, which no file system could hold; remove it from the repository`,
        );
  }
  if (error instanceof TooManyRefs) {
    return fault('limit-reached', `${repository}: ${error.message}; delete some that nobody needs`);
  }
  if (error instanceof AnswerTooLarge) {
    return fault(
      'limit-reached',
      `${repository} answered more than ${error.bytes} bytes; make the repository smaller, or raise the limit`,
    );
  }
  const refusedHost = hostRefused(error);
  if (refusedHost !== undefined) {
    return fault(
      'repository-refused',
      `${repository} is not asked: ${refusedHost.message}, a place on the machine that Mooring runs on; who runs it can start it with --allow-node-local-repositories`,
    );
  }
  if (error instanceof HttpRefusal) return httpFault(error, fault, repository, authorizationOf(access) !== undefined);
  if (error instanceof ServerComplaint) {
    const { said } = error;
    if (refused.test(said) || missing.test(said)) return saidFault(said, fault, repository);
    return fault('repository-unreachable', `${repository}: the server says: ${said}; it is tried again`);
  }
  if (error instanceof MalformedAnswer) {
    return fault(
      'repository-unreachable',
      `${repository}: ${cleanOutput(error.message)}; check that the URL is that of a Git repository`,
    );
  }
  if (error instanceof ObjectMissing || error instanceof ReaderEnded) {
    return fault(
      'repository-unreachable',
      `the copy of ${repository} is damaged, and stayed so after it was cloned anew: ${error.message}`,
    );
  }
  if (error instanceof GitFailure) return gitFault(error, fault, repository, address);
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fault(
      'limit-reached',
      `no disk space is left for ${repository}; make room on the volume of the repositories`,
    );
  }
  if (isConnectionError(error)) {
    return fault('repository-unreachable', `cannot reach ${repository}: ${connectionReason(error)}`);
  }
  return error;
}

function hostRefused(error: unknown): HostRefused | undefined {
  if (error instanceof HostRefused) return error;
  return error instanceof Error && error.cause !== undefined ? hostRefused(error.cause) : undefined;
}

type MakeFault = (code: 'repository-unreachable' | 'repository-refused' | 'limit-reached', message: string) => Fault;

const secretHint = 'in the repository Secret (label argocd.argoproj.io/secret-type: repository)';

function httpFault(error: HttpRefusal, fault: MakeFault, repository: string, authorized: boolean): Fault {
  const { status, location } = error;
  if (status === 401 || status === 403) {
    const what = authorized
      ? `check the credentials ${secretHint}`
      : `give username and password, or bearerToken, ${secretHint}`;
    const why = status === 401 ? 'authentication required' : 'authorization failed';
    return fault('repository-refused', `${why}: ${repository} refused access (HTTP ${status}): ${what}`);
  }
  if (status === 404 || status === 410) {
    const hint = authorized
      ? `check repoURL, and that the credentials ${secretHint} may read it`
      : `check repoURL; if the repository is private, give username and password ${secretHint}`;
    return fault('repository-refused', `repository not found: ${repository} (HTTP ${status}): ${hint}`);
  }
  if (status >= 300 && status < 400) {
    const to = location === undefined || location === '' ? 'elsewhere' : maskAddress(location.split(/[?#]/)[0] ?? '');
    return fault(
      'repository-refused',
      `${repository} redirects to ${to}; credentials are not taken to another host: set repoURL to where the repository is now`,
    );
  }
  return fault('repository-unreachable', `${repository} answered HTTP ${status}; it is tried again`);
}

function gitFault(error: GitFailure, fault: MakeFault, repository: string, address: RepositoryAddress): Fault {
  const { reason, said } = error;
  if (reason === 'timeout') return fault('repository-unreachable', `${repository} did not answer in time: ${said}`);
  if (reason === 'output') return fault('limit-reached', `${repository}: ${said}`);
  if (reason === 'input' && error.cause !== undefined) {
    const cause = repositoryFault(error.cause, address, { url: address.url });
    if (cause instanceof Fault) return fault(cause.code as 'repository-unreachable', cause.message);
  }
  if (/No space left|Disk quota exceeded/i.test(said)) {
    return fault(
      'limit-reached',
      `no disk space is left for ${repository}; make room on the volume of the repositories`,
    );
  }
  const allocated = overLimit.exec(said);
  if (allocated !== null) {
    return fault(
      'limit-reached',
      `${repository}: an object of it takes ${allocated[1]} bytes of memory when it is unpacked; at most ${allocated[2]} are taken: take large files out of the repository, or keep them in Git LFS`,
    );
  }
  if (/cannot run ssh:/.test(said)) {
    return fault(
      'repository-unreachable',
      `${repository}: the program ssh is missing; install OpenSSH's client where Mooring runs`,
    );
  }
  if (/Host key for \S+ has changed/.test(said)) {
    return fault(
      'repository-refused',
      `${repository}: the host key is not the one in the known hosts; if the server was given a new one, replace it there (in argocd-ssh-known-hosts-cm) (${said})`,
    );
  }
  if (/Host key verification failed/i.test(said)) {
    return fault(
      'repository-refused',
      `${repository}: the host key is not known; add it to the known hosts (argocd-ssh-known-hosts-cm), or set insecure ${secretHint} (${said})`,
    );
  }
  if (/Load key "/.test(said)) {
    return fault(
      'repository-refused',
      `${repository} refused access: sshPrivateKey ${secretHint} cannot be read; give the whole private key, in the form of OpenSSH or PEM and without a passphrase`,
    );
  }
  if (address.transport === 'ssh' && refused.test(said)) {
    return fault(
      'repository-refused',
      `${repository} refused access: check the user in repoURL, sshPrivateKey ${secretHint}, which must have no passphrase, and that the server knows its public key (${said})`,
    );
  }
  if (refused.test(said) || missing.test(said)) return saidFault(said, fault, repository);
  return fault('repository-unreachable', `cannot reach ${repository}: ${said === '' ? error.message : said}`);
}

/** What a server says of who asks, or of what is asked for. */
function saidFault(said: string, fault: MakeFault, repository: string): Fault {
  if (refused.test(said))
    return fault('repository-refused', `${repository} refused access: check the credentials ${secretHint} (${said})`);
  return fault(
    'repository-refused',
    `repository not found: ${repository}: check repoURL, and that the credentials ${secretHint} may read it (${said})`,
  );
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause === undefined ? undefined : codeOf(cause);
}

function isConnectionError(error: unknown): boolean {
  if (error instanceof errors.UndiciError) return true;
  if (!(error instanceof Error)) return false;
  if (error.name === 'AbortError' || error.name === 'TimeoutError' || error.name === 'AggregateError') return true;
  const code = codeOf(error) ?? '';
  return (
    /^(?:E[A-Z]+|CERT_|DEPTH_|UNABLE_|SELF_SIGNED|ERR_TLS|ERR_SSL|UND_)/.test(code) && !code.startsWith('ERR_INVALID')
  );
}

function connectionReason(error: unknown): string {
  const code = codeOf(error) ?? '';
  const message = cleanOutput(error instanceof Error && error.message !== '' ? error.message : code);
  if (/CERT|SELF_SIGNED|UNABLE_TO|DEPTH_/.test(code)) {
    return `its certificate cannot be verified (${message}); put its authority into argocd-tls-certs-cm under the name of the host, or set insecure ${secretHint}`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name is not known (${message})`;
  return message;
}
