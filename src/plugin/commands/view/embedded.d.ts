/** The files of a folder of an npm package as one compressed piece, made by scripts/packed-folder.ts. */
declare module 'packed:*' {
  const brotli: Uint8Array;
  export default brotli;
}
