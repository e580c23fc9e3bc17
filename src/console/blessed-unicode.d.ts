/** How blessed counts cells; a test compares our own count with it. */
declare module 'blessed/lib/unicode.js' {
  const unicode: { charWidth(text: string, at: number): number };
  export default unicode;
}
