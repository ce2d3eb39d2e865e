/** Written by build.ts. */
declare module 'virtual:contract' {
  const built: import('../../contract.ts').ConsoleContract
  export default built
}
