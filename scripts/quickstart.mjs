/** `npm run quickstart`: see packages/local/src/quickstart/main.ts, which runs on packages that may still have to be installed. */
import { installPackages, runNode } from './bootstrap.mjs'

await installPackages()
process.exitCode = await runNode(['packages/local/src/quickstart/main.ts', ...process.argv.slice(2)])
