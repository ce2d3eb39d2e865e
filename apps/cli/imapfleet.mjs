#!/usr/bin/env node
/** Starts the command line from its sources, or says that this Node is too old for them. It must run on any Node. */
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `imapfleet: this is Node ${process.versions.node}, and 22.18 or newer is needed. Install the Debian package, which has its own, or run npm ci in a clone and use node_modules/.bin/node.\n`,
  )
  process.exit(2)
}
await import('./src/main.ts')
