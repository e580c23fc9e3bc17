/** The part of WebAssembly that is used: Node's types leave it to those of browsers. */
interface WebAssembly {
  readonly Module: {
    new (bytes: Uint8Array): object;
    exports(module: object): readonly { readonly name: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

// Node has it, whatever its types say.
export const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssembly }).WebAssembly;

/** The names of what a module exports. @throws an error of Node's if the bytes are no module */
export function exportsOf(module: Uint8Array): readonly string[] {
  return wasm.Module.exports(new wasm.Module(module)).map(({ name }) => name);
}
