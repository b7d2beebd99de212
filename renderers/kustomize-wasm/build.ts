import { buildEngine, type Patch } from '@mooring/go-wasm/build';

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
];

await buildEngine({ name: 'kustomize', folder: new URL('./', import.meta.url), patches });
