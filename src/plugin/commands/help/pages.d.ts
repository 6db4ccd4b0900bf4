/** docs/ as the build packs it, by scripts/help-pages.ts. */
declare module 'help:pages' {
  const bytes: Uint8Array;
  export default bytes;
}
