/** The bundled text of a source file, made by scripts/agent-bundle.ts: how a worker's code travels inside one file. */
declare module 'bundle:*' {
  const source: string;
  export default source;
}
