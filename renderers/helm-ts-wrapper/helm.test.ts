import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { onDisk, readCases } from '@mooring/go-wasm/cases';
import { RenderError, type RenderErrorCode, treeOf } from '@mooring/renderer-contract';
import { createHelm, helmVersion } from './helm.ts';
import type { TemplateOptions } from './options.ts';

interface Asked {
  readonly path: string;
  readonly options: TemplateOptions;
  /** What the options are as arguments of `helm template`, run in the chart's folder. */
  readonly cli: readonly string[];
}

const helm = await createHelm();
after(() => helm.close());

const program = installedProgram();
if (program === undefined)
  console.log(`helm ${helmVersion} is not on PATH: its output is not compared, only what is recorded`);

describe('renders what the helm program renders', () => {
  for (const one of readCases<Asked>(new URL('./testdata/', import.meta.url))) {
    test(one.name, async () => {
      const { yaml, objects, sources } = await helm.template(treeOf(one.files), one.asked.path, one.asked.options);
      if (process.env['ACCEPT'] === '1') one.accept(yaml);
      else assert.equal(yaml, one.expected);
      assert.equal(objects.length, sources.length);
      for (const source of sources) assert.ok(one.files[source] !== undefined, source);
      if (program !== undefined) assert.equal(yaml, await templateByProgram(program, one.files, one.asked));
    });
  }
});

function installedProgram(): string | undefined {
  try {
    return helmVersion.startsWith(
      execFileSync('helm', ['version', '--template', '{{ .Version }}'], { encoding: 'utf8' }),
    )
      ? 'helm'
      : undefined;
  } catch {
    return undefined;
  }
}

function templateByProgram(
  program: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  asked: Asked,
): Promise<string> {
  return onDisk(files, (folder) => {
    if (asked.options.valuesObject !== undefined)
      writeFileSync(join(folder, 'object.json'), JSON.stringify(asked.options.valuesObject));
    if (asked.options.values !== undefined) writeFileSync(join(folder, 'inline.yaml'), asked.options.values);
    const args = asked.cli.map((arg) => arg.replace('TREE', folder));
    return execFileSync(program, ['template', ...args], {
      cwd: join(folder, asked.path),
      encoding: 'utf8',
      stdio: 'pipe',
    });
  });
}

const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
const configMap = (name: string, data = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${data}`;

test('what a template sees without a cluster is what the program shows it', async (context) => {
  const files = {
    'Chart.yaml': chart('seen'),
    'templates/all.yaml': configMap(
      'seen',
      `data:\n  versions: {{ .Capabilities.APIVersions | join "," }}\n  kube: {{ .Capabilities.KubeVersion }}
  lookup: {{ lookup "v1" "Pod" "a" "b" | toJson | quote }}\n  host: {{ getHostByName "example.com" | quote }}\n`,
    ),
  };
  const { yaml } = await helm.template(treeOf(files), '');
  assert.match(yaml, /lookup: "\{\}"\n {2}host: ""/);
  assert.match(yaml, /kube: v1\.\d+\.0/);
  if (program === undefined) context.diagnostic('not compared');
  else assert.equal(yaml, await templateByProgram(program, files, { path: '', options: {}, cli: ['.'] }));
});

test('the version is that of the module inside', async () => {
  const { yaml } = await helm.template(
    treeOf({ 'Chart.yaml': chart('v'), 'templates/a.yaml': configMap('{{ .Capabilities.HelmVersion.Version }}') }),
    '',
  );
  assert.match(yaml, new RegExp(`name: ${helmVersion}\n`));
});

test('a dependency may be an archive', async () => {
  const archive = gzipSync(tar({ 'db/Chart.yaml': chart('db'), 'db/templates/a.yaml': configMap('db') }));
  const files = {
    'shop/Chart.yaml': chart('shop', 'dependencies: [{name: db, version: 1.0.0}]\n'),
    'shop/charts/db-1.0.0.tgz': archive,
  };
  const { yaml, sources } = await helm.template(treeOf(files), 'shop');
  assert.equal(yaml, `---\n# Source: shop/charts/db/templates/a.yaml\n${configMap('db')}`);
  assert.deepEqual(sources, ['shop/charts/db-1.0.0.tgz']);
  if (program !== undefined)
    assert.equal(yaml, await templateByProgram(program, files, { path: 'shop', options: {}, cli: ['.'] }));
});

test('a dependency may be beside the chart', async () => {
  const files = {
    'shop/Chart.yaml': chart('shop', 'dependencies: [{name: db, version: ~1.0, repository: "file://../db"}]\n'),
    'db/Chart.yaml': chart('db'),
    'db/templates/a.yaml': configMap('db'),
  };
  const { sources } = await helm.template(treeOf(files), 'shop');
  assert.deepEqual(sources, ['db/templates/a.yaml']);
});

test('notes and warnings are given', async () => {
  const files = {
    'Chart.yaml': chart('n', 'deprecated: true\n'),
    'values.yaml': 'a: {b: {c: 1}}\n',
    'templates/NOTES.txt': 'Hello {{ .Release.Name }}',
    'templates/a.yaml': configMap('a'),
  };
  const { notes, warnings } = await helm.template(treeOf(files), '', { releaseName: 'you', values: 'a: {b: text}' });
  assert.equal(notes, 'Hello you');
  assert.match(warnings.join('\n'), /deprecated/);
  assert.match(warnings.join('\n'), /cannot overwrite table/);
});

test('large integers keep their digits', async () => {
  const { objects } = await helm.template(
    treeOf({ 'Chart.yaml': chart('n'), 'templates/a.yaml': configMap('a', 'number: 12345678901234567891\n') }),
    '',
  );
  assert.match(JSON.stringify(objects), /"number":12345678901234567891/);
});

test('random functions differ from render to render', async () => {
  const tree = treeOf({
    'Chart.yaml': chart('r'),
    'templates/a.yaml': configMap('{{ randAlphaNum 20 | lower }}-{{ uuidv4 }}'),
  });
  assert.notEqual((await helm.template(tree, '')).yaml, (await helm.template(tree, '')).yaml);
});

test('keys are made by the host, in the forms that templates know', async () => {
  const template = `
{{- $ca := genCA "ca" 30 }}
{{- $signed := genSignedCert "web" (list "127.0.0.1") (list "web.example.com") 30 $ca }}
apiVersion: v1
kind: ConfigMap
metadata: {name: keys}
data:
  key: {{ genPrivateKey "rsa" | quote }}
  caKey: {{ $ca.Key | quote }}
  caCert: {{ $ca.Cert | quote }}
  cert: {{ $signed.Cert | quote }}
  certKey: {{ $signed.Key | quote }}
`;
  const { objects } = await helm.template(treeOf({ 'Chart.yaml': chart('k'), 'templates/a.yaml': template }), '');
  const {
    key = '',
    caKey = '',
    caCert = '',
    cert = '',
    certKey = '',
  } = (objects[0] as unknown as { readonly data: Readonly<Record<string, string>> }).data;
  const bits = (pem: string): number | undefined => {
    assert.match(pem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
    return createPrivateKey(pem).asymmetricKeyDetails?.modulusLength;
  };
  assert.deepEqual([bits(key), bits(caKey), bits(certKey)], [4_096, 2_048, 2_048]);
  const [authority, certificate] = [new X509Certificate(caCert), new X509Certificate(cert)];
  assert.ok(
    authority.checkPrivateKey(createPrivateKey(caKey)) && certificate.checkPrivateKey(createPrivateKey(certKey)),
  );
  assert.ok(certificate.verify(authority.publicKey));
  assert.equal(certificate.checkHost('web.example.com'), 'web.example.com');
});

describe('says what is wrong and where', () => {
  const refused = (
    name: string,
    files: Record<string, string>,
    wanted: { code: RenderErrorCode; file?: string; line?: number; message: RegExp },
    options: TemplateOptions = {},
  ): void => {
    test(name, async () => {
      await assert.rejects(
        helm.template(treeOf({ 'app/Chart.yaml': chart('demo'), ...files }), 'app', options),
        (error) => {
          assert.ok(error instanceof RenderError, String(error));
          assert.match(error.message, wanted.message);
          assert.deepEqual(
            [error.code, error.file, error.line],
            [wanted.code, wanted.file, wanted.line],
            error.message,
          );
          return true;
        },
      );
    });
  };
  const template = (text: string): Record<string, string> => ({ 'app/templates/a.yaml': text });
  const at = { file: 'app/templates/a.yaml' };
  refused('fail', template('a: b\n{{ fail "not like this" }}\n'), {
    code: 'template',
    ...at,
    line: 2,
    message: /not like this/,
  });
  refused('required', template('\n\na: {{ required "set the size" .Values.size }}\n'), {
    code: 'template',
    ...at,
    line: 3,
    message: /set the size/,
  });
  refused('a nil pointer', template('a: {{ .Values.x.y.z }}\n'), {
    code: 'template',
    ...at,
    line: 1,
    message: /nil pointer/,
  });
  refused('a template that cannot be parsed', template('a: b\n\n{{ if }}\n'), {
    code: 'template',
    ...at,
    line: 3,
    message: /missing value for if/,
  });
  refused('a function that does not exist', template('{{ nofunc 1 }}'), {
    code: 'template',
    ...at,
    line: 1,
    message: /nofunc/,
  });
  refused('env', template('{{ env "HOME" }}'), { code: 'template', ...at, line: 1, message: /"env" not defined/ });
  refused('output that is no YAML', template('a: b\n c: d: e\n'), {
    code: 'syntax',
    ...at,
    // Of the template no line is known.
    message: /YAML parse error .*: line 2 of document 1 that it renders to:/,
  });
  refused('output that is no object', template('a: b\n---\n- a\n- b\n'), {
    code: 'syntax',
    ...at,
    message: /document 2 that it renders to: .*cannot unmarshal/,
  });
  refused(
    'more than the limit once aliases are written out',
    template(`{{ $part := repeat 5000 "z" }}a: &a {{ $part }}\nb: [*a, *a, *a, *a]\n`),
    { code: 'limit', ...at, message: /take more than 20000 bytes once their aliases are written out/ },
    { limits: { manifestBytes: 10_000 } },
  );
  refused(
    'a broken definition of a kind',
    { 'app/crds/a.yaml': '# none\n---\na: b\n---\na: b: c\n' },
    { code: 'syntax', file: 'app/crds/a.yaml', message: /^document 3 of app\/crds\/a\.yaml is no Kubernetes object/ },
  );
  refused(
    'values against the schema',
    { 'app/values.schema.json': '{"properties": {"size": {"type": "integer"}}}' },
    { code: 'invalid', file: 'app', message: /size.*got string, want integer/s },
    { values: 'size: big' },
  );
  test('values against the schema are not repeated', async () => {
    const properties = {
      pattern: { pattern: '^[a-z]+$' },
      either: { anyOf: [{ type: 'integer' }, { pattern: '^z' }] },
      choice: { enum: ['a', 'b'] },
      pin: { maximum: 9 },
      even: { multipleOf: 2 },
      address: { type: 'string', format: 'ipv4' },
    };
    const files = {
      'app/Chart.yaml': chart('demo'),
      'app/values.schema.json': JSON.stringify({
        $schema: 'http://json-schema.org/draft-07/schema#',
        properties,
      }),
    };
    const values = `pattern: "c4n4ry 'X\\n"\neither: c4n4ry\nchoice: c4n4ry\npin: 4711\neven: 4711\naddress: c4n4ry`;
    const { message } = await helm.template(treeOf(files), 'app', { values }).then(
      () => assert.fail('it rendered'),
      (thrown: Error) => thrown,
    );
    assert.doesNotMatch(message, /c4n4ry|4,?711/);
    assert.match(message, /- at '\/pattern': it does not match the pattern '\^\[a-z\]\+\$'/);
    assert.match(message, /- at '\/choice': value must be one of 'a', 'b'/);
    assert.match(message, /- at '\/pin': maximum: want 9/);
  });
  refused(
    'a schema from the network',
    { 'app/values.schema.json': '{"$ref": "https://example.com/s.json"}' },
    { code: 'invalid', file: 'app', message: /there is no network here/ },
  );
  refused(
    'a missing values file',
    {},
    { code: 'not-found', file: 'app/prod.yaml', message: /ignoreMissingValueFiles/ },
    { valueFiles: ['prod.yaml'] },
  );
  refused(
    'a broken values file',
    { 'app/prod.yaml': 'a: b\n\tc: d\n' },
    { code: 'syntax', file: 'app/prod.yaml', line: 2, message: /prod\.yaml/ },
    { valueFiles: ['prod.yaml'] },
  );
  refused(
    'a remote values file',
    {},
    { code: 'unsupported', message: /remote/ },
    { valueFiles: ['https://example.com/v.yaml'] },
  );
  refused(
    'a values file outside',
    {},
    { code: 'outside-tree', file: 'app', message: /leaves the repository/ },
    { valueFiles: ['../../v.yaml'] },
  );
  refused(
    'a missing dependency',
    {
      'app/Chart.yaml': chart(
        'demo',
        'dependencies: [{name: redis, version: 1.2.3, repository: "https://charts.example.com"}]\n',
      ),
    },
    {
      code: 'not-found',
      file: 'app/Chart.yaml',
      message:
        /"redis" 1\.2\.3 from "https:\/\/charts\.example\.com" is not in charts\/: run `helm dependency update app` and commit charts\//,
    },
  );
  refused(
    'a version that is too new',
    { 'app/Chart.yaml': chart('demo', 'kubeVersion: ">=1.99"\n') },
    { code: 'invalid', file: 'app/Chart.yaml', message: /incompatible with Kubernetes v1\.30/ },
    { kubeVersion: '1.30.0' },
  );
  refused(
    'a library',
    { 'app/Chart.yaml': chart('demo', 'type: library\n') },
    { code: 'unsupported', file: 'app/Chart.yaml', message: /library charts are not installable/ },
  );
  refused(
    'a chart without a version',
    { 'app/Chart.yaml': 'apiVersion: v2\nname: demo\n' },
    { code: 'invalid', file: 'app', message: /version is required/ },
  );
  refused('endless recursion', template('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'), {
    code: 'template',
    ...at,
    line: 1,
    message: /nested reference|maximum template depth/,
  });
});

/** A tar archive of plain files. */
function tar(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${Buffer.byteLength(content).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        0', 148);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(content) / 512) * 512);
    body.write(content);
    return [header, body];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
