/** The part of WebAssembly's JavaScript API that is used here; TypeScript has it only in the library of the browser. */
declare namespace WebAssembly {
  type ModuleImports = Record<string, (...args: never[]) => unknown>;

  class Module {
    private constructor();
    static imports(module: Module): { readonly module: string; readonly name: string }[];
  }

  class Memory {
    /** Sizes in pages of 64 KiB. */
    constructor(size: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB. */
    grow(pages: number): number;
  }

  class Global {
    private constructor();
    value: number | bigint | undefined;
  }

  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }

  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: Record<string, ModuleImports>): Promise<Instance>;
}
