/** `npm run quickstart`: see infra/local/quickstart/main.ts, which runs on packages that may still have to be installed. */
import { installPackages, runNode } from './bootstrap.mjs'

await installPackages()
process.exitCode = await runNode(['infra/local/quickstart/main.ts', ...process.argv.slice(2)])
