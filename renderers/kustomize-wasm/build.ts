import { buildEngine, type Patch } from '@mooring/go-wasm/build';
import { warmUp } from './warm-up.ts';

/** Kustomize without git and HTTP: what is remote is refused by name. */
const patches: readonly Patch[] = [
  {
    package: 'sigs.k8s.io/kustomize/api/internal/loader',
    file: 'fileloader.go',
    edits: [
      { find: '\t"net/http"\n', replace: '' },
      { find: '\t"io"\n', replace: '\t"mooring.dev/gowasm"\n' },
      { find: '\thttp *http.Client\n', replace: '' },
      {
        find: /(?<=func \(fl \*FileLoader\) httpClientGetContent\(path string\) \(\[\]byte, error\) \{\n)[\s\S]*?(?=\n\}\n)/,
        replace: '\tpanic(refused(fl, path))',
      },
      {
        find: '\t\treturn newLoaderAtGitClone(\n\t\t\trepoSpec, fl.fSys, fl, fl.cloner)\n',
        replace: '\t\tpanic(refused(fl, path))\n',
      },
      {
        find: 'func (fl *FileLoader) Cleanup() error {',
        replace: `func refused(fl *FileLoader, path string) *gowasm.Fault {
	folder := strings.TrimPrefix(fl.Root(), "/")
	return &gowasm.Fault{
		Code:    "unsupported",
		Message: fmt.Sprintf("%q in the kustomization of %q is remote: copy it into the repository and refer to it by its path", path, folder),
		File:    folder,
	}
}

func (fl *FileLoader) Cleanup() error {`,
      },
    ],
  },
  {
    package: 'sigs.k8s.io/kustomize/api/provenance',
    file: 'provenance.go',
    edits: [{ find: '\tp.Version = FindVersion(info, p.Version)\n', replace: '' }],
  },
  // Kustomize hands each built-in transformer its configuration, a long list of fields, as YAML, which is half of the time of a small build. Here it is JSON,
  // behind a first line that YAML takes for a comment.
  {
    package: 'sigs.k8s.io/kustomize/api/internal/target',
    file: 'kusttarget.go',
    edits: [
      {
        find: '\t\ty, err = yaml.Marshal(c)\n',
        replace: '\t\ty, err = json.Marshal(c)\n\t\ty = append([]byte("# json\\n"), y...)\n',
      },
      { find: '\t\ty)\n\tif err != nil {\n', replace: '\t\ty)\n\tif err != nil {\n\t\ty, _ = yaml.Marshal(c)\n' },
    ],
  },
  {
    package: 'sigs.k8s.io/yaml',
    file: 'yaml.go',
    edits: [
      {
        find: '\treturn unmarshal(yamlBytes, obj, yaml.Unmarshal, opts...)\n',
        replace: `\tif plain, ok := bytes.CutPrefix(yamlBytes, []byte("# json\\n{")); ok && json.Valid(yamlBytes[len("# json\\n"):]) {
		return jsonUnmarshal(bytes.NewReader(yamlBytes[len(yamlBytes)-len(plain)-1:]), obj, opts...)
	}
	return unmarshal(yamlBytes, obj, yaml.Unmarshal, opts...)
`,
      },
    ],
  },
  // `kustomize edit` compiles some hundred regular expressions anew for each command, which takes 60 ms here.
  {
    package: 'sigs.k8s.io/kustomize/kustomize/v5/commands/internal/kustfile',
    file: 'kustomizationfile.go',
    edits: [
      { find: 'r := regexp.MustCompile("^(" + "(?i)" + field + "):")', replace: 'r := fieldPattern(field)' },
      { find: '\ttitleCaser := cases.Title(language.English, cases.NoLower)\n', replace: '' },
      {
        find: 'func squash(x [][]byte) []byte {',
        replace: `var (
	titleCaser    = cases.Title(language.English, cases.NoLower)
	fieldPatterns = map[string]*regexp.Regexp{}
)

func fieldPattern(field string) *regexp.Regexp {
	if fieldPatterns[field] == nil {
		fieldPatterns[field] = regexp.MustCompile("^(?i:" + field + "):")
	}
	return fieldPatterns[field]
}

func squash(x [][]byte) []byte {`,
      },
    ],
  },
];

await buildEngine({
  name: 'kustomize',
  folder: new URL('./', import.meta.url),
  patches,
  warmUp,
  linkerVariables: { 'sigs.k8s.io/kustomize/api/provenance.version': 'v5.8.2' },
});
