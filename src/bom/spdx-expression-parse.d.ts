declare module 'spdx-expression-parse' {
  /** Throws an Error where `text` is not an SPDX licence expression. */
  const parse: (text: string) => unknown;
  // biome-ignore lint/style/noDefaultExport: the module is CommonJS and exports one function.
  export default parse;
}
