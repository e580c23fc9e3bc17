/** How blessed counts cells: what our own count is held against. */
declare module 'blessed/lib/unicode.js' {
  const unicode: { charWidth(text: string, at: number): number };
  export default unicode;
}
